"""The texts of codes in every language: their fields, placeholders, script, voice and length."""

import re
import tomllib
import unicodedata
from collections.abc import Iterator
from typing import Any

import phonenumbers
import pytest

from messaging.api.code_languages import language_of
from messaging.channels.voice.content import VoiceId
from messaging.codes.texts import FOLDER, languages, texts
from messaging.domain.sms_encoding import parts

LANGUAGES = sorted(languages())
PAYMENT = {"payee": "Example Books", "amount": "1,234.50 EUR"}
PLACEHOLDER = re.compile(r"\{(\w*)\}")
CODE, BRAND, MINUTES = {"code"}, {"brand"}, {"minutes"}
PAID = {"payee", "amount"}
# The first words of the Unicode names of a language's letters, if they are not LATIN.
SCRIPTS = {
    "ar": {"ARABIC"},
    "el": {"GREEK"},
    "he": {"HEBREW"},
    "hi": {"DEVANAGARI"},
    "ja": {"HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "CJK"},
    "ko": {"HANGUL"},
    "ru": {"CYRILLIC"},
    "th": {"THAI"},
    "uk": {"CYRILLIC"},
    "zh_CN": {"CJK"},
    "zh_TW": {"CJK"},
}
# docs.aws.amazon.com/polly/latest/dg/available-voices.html: the languages of the voices that
# SendVoiceMessage has.
VOICES = {
    "ar": {"ZEINA"},
    "da": {"MADS", "NAJA"},
    "de": {"HANS", "MARLENE", "VICKI"},
    "en": {"IVY", "JOANNA", "JOEY", "JUSTIN", "KENDRA", "KIMBERLY", "MATTHEW", "SALLI"},
    "es": {"LUPE", "MIGUEL", "PENELOPE", "CONCHITA", "ENRIQUE", "LUCIA", "MIA"},
    "fr": {"CELINE", "LEA", "MATHIEU"},
    "it": {"BIANCA", "CARLA", "GIORGIO"},
    "ja": {"MIZUKI", "TAKUMI"},
    "ko": {"SEOYEON"},
    "nb": {"LIV"},
    "nl": {"LOTTE", "RUBEN"},
    "pl": {"EWA", "JACEK", "JAN", "MAJA"},
    "pt_BR": {"CAMILA", "RICARDO", "VITORIA"},
    "pt_PT": {"CRISTIANO", "INES"},
    "ro": {"CARMEN"},
    "ru": {"MAXIM", "TATYANA"},
    "sv": {"ASTRID"},
    "tr": {"FILIZ"},
    "zh_CN": {"ZHIYU"},
    "zh_TW": {"ZHIYU"},
}
# Words of these languages that are written in Latin letters.
FOREIGN = {"el": "email"}


def every_text(language: str) -> Iterator[tuple[str, str]]:
    """Each text of the file with its place in it."""
    pending: list[tuple[str, Any]] = [
        ("", tomllib.loads((FOLDER / f"{language}.toml").read_text()))
    ]
    while pending:
        place, value = pending.pop()
        if isinstance(value, dict):
            pending += [(f"{place}.{name}".strip("."), item) for name, item in value.items()]
        elif isinstance(value, list):
            pending += [(place, item) for item in value]
        else:
            yield place, value


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def test_there_are_texts_for_most_of_the_world() -> None:
    required = {"ar", "de", "en", "es", "fr", "he", "hi", "id", "it", "ja", "ko", "nl", "pl"}
    required |= {"pt_BR", "ru", "tr", "uk", "vi", "zh_CN"}

    assert required <= set(LANGUAGES)
    assert len({texts(one).name for one in LANGUAGES}) == len(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_same_fields(language: str) -> None:
    fields = {place for place, _ in every_text(language)}
    english = {place for place, _ in every_text("en")}
    voice = {place for place in english if place.startswith("voice.")}

    assert fields == (english if language in VOICES else english - voice)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_has_its_placeholders_and_no_others(language: str) -> None:
    found = texts(language)

    assert placeholders(found.sms[0]) == CODE | BRAND | MINUTES
    assert all(CODE | BRAND <= placeholders(one) <= CODE | BRAND | MINUTES for one in found.sms)
    assert all(
        CODE | BRAND | PAID <= placeholders(one) <= CODE | BRAND | PAID | MINUTES
        for one in found.sms_payment
    )
    email = found.email
    assert placeholders(email.subject) == placeholders(email.lead) == BRAND
    assert placeholders(email.payment) == BRAND | PAID
    assert placeholders(email.expiry) == MINUTES
    assert placeholders(email.warning) == BRAND
    assert placeholders(email.unexpected) == set()


@pytest.mark.parametrize("language", sorted(VOICES))
def test_a_call_says_the_code_twice_in_a_voice_of_the_language(language: str) -> None:
    voice = texts(language).voice

    assert voice
    assert voice.voice_id in VOICES[language] & set(VoiceId.__args__)  # type: ignore[attr-defined] # of Literal
    assert placeholders(voice.text) == CODE | BRAND
    assert placeholders(voice.payment) == CODE | BRAND | PAID
    for text in (voice.text, voice.payment):
        assert text.count("{code}") == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_text_is_in_the_script_of_its_language(language: str) -> None:
    expected = SCRIPTS.get(language, {"LATIN"})
    for place, text in every_text(language):
        if place == "voice.voice_id":
            continue
        words = PLACEHOLDER.sub("", text).replace(FOREIGN.get(language, "\0"), "")
        letters = [one for one in words if unicodedata.category(one) in {"Lu", "Ll", "Lo"}]
        assert letters, place
        strange = {one for one in letters if unicodedata.name(one).split()[0] not in expected}
        # Mandarin for Taiwan is spoken by the voice of mainland China; both scripts are CJK.
        assert not strange, (place, strange)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_ordinary_sms_is_one_part_with_everything_it_says(language: str) -> None:
    ordinary = {"code": "123456", "brand": "Example Shop", "minutes": "60"}

    assert parts(texts(language).sms[0].format(**ordinary)) == 1
    assert parts(texts(language).sms_payment[-1].format(**ordinary, **PAYMENT)) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_sms_are_listed_from_the_longest(language: str) -> None:
    for choices in (texts(language).sms, texts(language).sms_payment):
        lengths = [len(PLACEHOLDER.sub("", one)) for one in choices]
        assert lengths == sorted(lengths, reverse=True)
        assert len(set(lengths)) == len(lengths)


def test_every_country_has_a_language_and_every_language_but_hindi_a_country() -> None:
    """India has many languages, and no one that nearly all speak."""
    found: dict[str, str] = {}
    for region in phonenumbers.SUPPORTED_REGIONS:
        number = phonenumbers.example_number(region)
        assert number
        address = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        found[region] = language_of([address])

    assert set(found.values()) == languages() - {"hi"}
    assert [found[one] for one in ("AT", "BR", "PT", "MX", "IN", "US", "CH")] == [
        *("de", "pt_BR", "pt_PT", "es"),
        *("en", "en", "en"),
    ]
    assert language_of(["ana@example.com"]) == "en"
