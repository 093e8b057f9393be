"""The language in which a code is sent if the request names none: that of the recipient's country.

Only countries of which one language is spoken by nearly all, as Unicode's CLDR has it in
supplementalData.xml (territoryInfo); everywhere else it is English.
"""

from collections.abc import Iterable

import phonenumbers

from messaging.codes.texts import DEFAULT_LANGUAGE

_COUNTRIES = {
    "ar": "AE BH EG IQ JO KW LB LY OM PS QA SA SD SY TN YE",
    "cs": "CZ",
    "da": "DK",
    "de": "AT DE LI",
    "el": "CY GR",
    "es": "AR BO CL CO CR CU DO EC ES GT HN MX NI PA PE PR PY SV UY VE",
    "fi": "FI",
    "fr": "BF BJ CI FR GA GF GP MC ML MQ NC NE PF RE SN TG",
    "he": "IL",
    "id": "ID",
    "it": "IT SM",
    "ja": "JP",
    "ko": "KR",
    "ms": "BN",
    "nb": "NO",
    "nl": "NL SR",
    "pl": "PL",
    "pt_BR": "BR",
    "pt_PT": "AO MZ PT ST",
    "ro": "MD RO",
    "ru": "BY RU",
    "sv": "SE",
    "th": "TH",
    "tr": "TR",
    "uk": "UA",
    "vi": "VN",
    "zh_CN": "CN",
    "zh_TW": "TW",
}
_LANGUAGES = {one: language for language, ones in _COUNTRIES.items() for one in ones.split()}


def language_of(addresses: Iterable[str]) -> str:
    """The language of the first address that is a phone number, which has to be a possible one."""
    for address in addresses:
        if address.startswith("+"):
            number = phonenumbers.parse(address)
            country = phonenumbers.region_code_for_number(number)
            return _LANGUAGES.get(country or "", DEFAULT_LANGUAGE)
    return DEFAULT_LANGUAGE
