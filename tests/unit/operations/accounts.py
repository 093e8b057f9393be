"""Accounts of each kind, by what AWS replies about them."""

from datetime import UTC, datetime
from typing import Any

from tests.support.account import NUMBER, REGION, Json, Reply

AT = datetime(2026, 11, 1, tzinfo=UTC)
ARN = f"{REGION}:{NUMBER}"
UUID = "4481148b-5635-4659-9b3e-3500e05a7be8"
TOPIC = f"arn:aws:sns:{ARN}:Throughline-Receipts"
ALARM_TOPIC = f"arn:aws:sns:{ARN}:Throughline-Alarms"
WHATSAPP = "phone-number-id-0123456789abcdef0123456789abcdef"
WABA = "waba-0123456789abcdef0123456789abcdef"
ENVIRONMENT = {
    "send_message": {
        "WHATSAPP_SENDER": WHATSAPP,
        "WHATSAPP_CODE_TEMPLATE": "verification_code",
        "WHATSAPP_CODE_LANGUAGES": "en",
        "SMS_SENDER": "+12065550123",
        "EMAIL_SENDER": "Ana's shop <hello@mail.example.org>",
        "VOICE_SENDER": "pool-0123456789abcdef",
        "SMS_CONFIGURATION_SET": "sms-set",
        "EMAIL_CONFIGURATION_SET": "email-set",
        "VOICE_CONFIGURATION_SET": "voice-set",
    },
    # 5 at once, 25 per second.
    "start_delivery": {"START_INTERVAL_SECONDS": "0.2"},
    "record_receipt": {},
}


def functions(**senders: str) -> Reply:
    """GetFunctionConfiguration of the stack's functions, with other senders than its own."""

    def reply(parameters: Json) -> Json:
        file = parameters["FunctionName"].removeprefix("Throughline-")
        variables = ENVIRONMENT[file] | (senders if file == "send_message" else {})
        return {
            "FunctionName": parameters["FunctionName"],
            "Handler": f"{file}.handler",
            "Environment": {"Variables": variables},
        }

    return reply


def stack(status: str = "UPDATE_COMPLETE") -> Json:
    return {
        "Stacks": [
            {
                "StackName": "Throughline",
                "CreationTime": AT,
                "StackStatus": status,
                "Outputs": [{"OutputKey": "ReceiptsTopicArn", "OutputValue": TOPIC}],
            }
        ]
    }


def resource(kind: str, physical_id: str) -> Json:
    return {
        "LogicalResourceId": "Any",
        "PhysicalResourceId": physical_id,
        "ResourceType": kind,
        "LastUpdatedTimestamp": AT,
        "ResourceStatus": "CREATE_COMPLETE",
    }


RESOURCES: Json = {
    "StackResourceSummaries": [
        *(resource("AWS::Lambda::Function", f"Throughline-{name}") for name in ENVIRONMENT),
        resource("AWS::SNS::Topic", TOPIC),
        resource("AWS::SNS::Topic", ALARM_TOPIC),
    ]
}


def concurrency(total: int, unreserved: int | None = None) -> Json:
    free = total if unreserved is None else unreserved
    return {"AccountLimit": {"ConcurrentExecutions": total, "UnreservedConcurrentExecutions": free}}


def metrics(sends: int = 0, seconds: float = 0.0, spent: float | None = None) -> Reply:
    """GetMetricData: how often each function ran, for so long each, and the month's spending."""

    def reply(parameters: Json) -> Json:
        results = []
        for query in parameters["MetricDataQueries"]:
            metric = query["MetricStat"]["Metric"]["MetricName"]
            values = {
                "Duration": [sends * seconds * 1000],
                "Invocations": [float(sends)],
                "TextMessageMonthlySpend": [] if spent is None else [spent / 2, spent],
                "VoiceMessageMonthlySpend": [],
            }[metric]
            results.append({"Id": query["Id"], "Values": values})
        return {"MetricDataResults": results}

    return reply


def quota(name: str, value: float, code: str) -> Json:
    return {"ServiceCode": "states", "QuotaName": name, "QuotaCode": code, "Value": value}


def quotas(*, starts: float = 300, bucket: float = 1300, transitions: float = 5000) -> Json:
    rate, size = "throttle token refill rate per second", "throttle token bucket size"
    return {
        "Quotas": [
            quota("StartExecution throttle token refill rate per second - Express", 6000, "L-E"),
            quota(f"StartExecution {rate}", starts, "L-STARTS"),
            quota(f"StartExecution {size}", bucket, "L-BUCKET"),
            quota(f"StateTransition {rate}", transitions, "L-TRANSITIONS"),
            quota(f"StateTransition {size}", transitions, "L-SIZE"),
            quota("Open Map Runs", 1000, "L-MAPS"),
            quota("Open executions per account", 1_000_000, "L-OPEN"),
        ]
    }


def ses(
    *,
    rate: float = 100,
    day: float = 50_000,
    sent: float = 7,
    production: bool = True,
    **other: Any,
) -> Json:
    return {
        "EnforcementStatus": "HEALTHY",
        "SendingEnabled": True,
        "ProductionAccessEnabled": production,
        "SendQuota": {"MaxSendRate": rate, "Max24HourSend": day, "SentLast24Hours": sent},
        **other,
    }


def identities(**found: Json) -> Reply:
    """GetEmailIdentity of these identities, with `_` for the characters of no name in Python."""

    def reply(parameters: Json) -> Json | str:
        name = parameters["EmailIdentity"].replace("@", "_").replace(".", "_")
        return found.get(name, f"NotFoundException Email identity {name} does not exist.")

    return reply


def identity(*, verified: bool = True, dkim: str = "SUCCESS") -> Json:
    return {
        "IdentityType": "DOMAIN",
        "VerifiedForSendingStatus": verified,
        "VerificationStatus": "SUCCESS" if verified else "PENDING",
        "DkimAttributes": {"SigningEnabled": True, "Status": dkim},
    }


def phone_number(number: str = "+12065550123", **other: Any) -> Json:
    return {
        "PhoneNumberArn": f"arn:aws:sms-voice:{ARN}:phone-number/phone-{number[1:]}",
        "PhoneNumberId": f"phone-{number[1:]}",
        "PhoneNumber": number,
        "Status": "ACTIVE",
        "IsoCountryCode": "US",
        "MessageType": "TRANSACTIONAL",
        "NumberCapabilities": ["SMS"],
        "NumberType": "TOLL_FREE",
        "MonthlyLeasingPrice": "2.00",
        "TwoWayEnabled": False,
        "SelfManagedOptOutsEnabled": False,
        "OptOutListName": "Default",
        "DeletionProtectionEnabled": False,
        "CreatedTimestamp": AT,
        **other,
    }


def pool(pool_id: str = "pool-0123456789abcdef", **other: Any) -> Json:
    return {
        "PoolArn": f"arn:aws:sms-voice:{ARN}:pool/{pool_id}",
        "PoolId": pool_id,
        "Status": "ACTIVE",
        "MessageType": "TRANSACTIONAL",
        "TwoWayEnabled": False,
        "SelfManagedOptOutsEnabled": False,
        "OptOutListName": "Default",
        "SharedRoutesEnabled": False,
        "DeletionProtectionEnabled": False,
        "CreatedTimestamp": AT,
        **other,
    }


def sender_id(country: str, *types: str) -> Json:
    return {
        "SenderIdArn": f"arn:aws:sms-voice:{ARN}:sender-id/ANASHOP/{country}",
        "SenderId": "ANASHOP",
        "IsoCountryCode": country,
        "MessageTypes": list(types),
        "MonthlyLeasingPrice": "0.00",
        "DeletionProtectionEnabled": False,
        "Registered": True,
    }


def notify_configuration(status: str = "ACTIVE", **other: Any) -> Json:
    return {
        "NotifyConfigurationArn": f"arn:aws:sms-voice:{ARN}:notify-configuration/nc-1",
        "NotifyConfigurationId": "nc-1",
        "DisplayName": "Ana's shop",
        "UseCase": "CODE_VERIFICATION",
        "EnabledCountries": ["DE", "US"],
        "EnabledChannels": ["SMS"],
        "Tier": "BASIC",
        "TierUpgradeStatus": "BASIC",
        "Status": status,
        "DeletionProtectionEnabled": False,
        "CreatedTimestamp": AT,
        **other,
    }


def spend_limits(most: int, enforced: int | None = None) -> Json:
    names = ("TEXT", "VOICE", "NOTIFY")
    return {
        "SpendLimits": [
            {
                "Name": f"{name}_MESSAGE_MONTHLY_SPEND_LIMIT",
                "EnforcedLimit": most if enforced is None else enforced,
                "MaxLimit": most,
                "Overridden": enforced is not None,
            }
            for name in names
        ]
    }


def tier(name: str) -> Json:
    return {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": name}]}


def destination_number(status: str) -> Json:
    return {
        "VerifiedDestinationNumberArn": f"arn:aws:sms-voice:{ARN}:verified-destination-number/v",
        "VerifiedDestinationNumberId": "v",
        "DestinationPhoneNumber": "+14255550156",
        "Status": status,
        "CreatedTimestamp": AT,
    }


def message_sets(*, enabled: bool = True, topic: str = TOPIC) -> Reply:
    def reply(parameters: Json) -> Json:
        (name,) = parameters["ConfigurationSetNames"]
        destination = {
            "EventDestinationName": "receipts",
            "Enabled": enabled,
            "MatchingEventTypes": ["TEXT_ALL"],
            "SnsDestination": {"TopicArn": topic},
        }
        described = {
            "ConfigurationSetArn": f"arn:aws:sms-voice:{ARN}:configuration-set/{name}",
            "ConfigurationSetName": name,
            "EventDestinations": [destination],
            "CreatedTimestamp": AT,
        }
        return {"ConfigurationSets": [described]}

    return reply


def email_set(*, enabled: bool = True) -> Json:
    destination = {
        "Name": "receipts",
        "Enabled": enabled,
        "MatchingEventTypes": ["SEND", "DELIVERY"],
        "SnsDestination": {"TopicArn": TOPIC},
    }
    return {"EventDestinations": [destination]}


def whatsapp_number(quality: str = "GREEN") -> Json:
    return {
        "arn": f"arn:aws:social-messaging:{ARN}:phone-number-id/0123456789abcdef0123456789abcdef",
        "phoneNumber": "+12065550124",
        "phoneNumberId": WHATSAPP,
        "metaPhoneNumberId": "100000000000001",
        "displayPhoneNumberName": "Ana's shop",
        "displayPhoneNumber": "+1 206-555-0124",
        "qualityRating": quality,
    }


def business_account(*topics: str, status: str = "COMPLETE") -> Json:
    return {
        "arn": f"arn:aws:social-messaging:{ARN}:waba/0123456789abcdef0123456789abcdef",
        "id": WABA,
        "wabaId": "100000000000002",
        "registrationStatus": status,
        "linkDate": AT,
        "wabaName": "Ana's shop",
        "eventDestinations": [{"eventDestinationArn": topic} for topic in topics],
    }


def whatsapp_account(*topics: str, status: str = "COMPLETE") -> Json:
    return {
        "account": {
            **business_account(*topics, status=status),
            "phoneNumbers": [whatsapp_number()],
        }
    }


def code_template(language: str, **changes: str) -> Json:
    return {
        "templateName": "verification_code",
        "metaTemplateId": "100000000000003",
        "templateStatus": "APPROVED",
        "templateQualityScore": "UNKNOWN",
        "templateLanguage": language,
        "templateCategory": "AUTHENTICATION",
        **changes,
    }


def subscription(arn: str) -> Json:
    return {
        "Subscriptions": [
            {
                "SubscriptionArn": arn,
                "Owner": NUMBER,
                "Protocol": "email",
                "Endpoint": "on-call@example.org",
                "TopicArn": ALARM_TOPIC,
            }
        ]
    }


SMS = "pinpoint-sms-voice-v2"
IN_POOL = phone_number("+12065550125", NumberCapabilities=["VOICE"], PoolId="pool-0123456789abcdef")

PRODUCTION: dict[str, Reply] = {
    "cloudformation:DescribeStacks": stack(),
    "cloudformation:ListStackResources": RESOURCES,
    "lambda:GetFunctionConfiguration": functions(),
    "lambda:ListEventSourceMappings": {
        "EventSourceMappings": [{"UUID": UUID, "ScalingConfig": {"MaximumConcurrency": 5}}]
    },
    "lambda:GetAccountSettings": concurrency(1000),
    "cloudwatch:GetMetricData": metrics(sends=1000, seconds=0.2, spent=12.5),
    "service-quotas:ListAWSDefaultServiceQuotas": quotas(starts=1, transitions=1),
    "service-quotas:ListServiceQuotas": quotas(),
    "socialmessaging:GetLinkedWhatsAppBusinessAccountPhoneNumber": {
        "phoneNumber": whatsapp_number(),
        "linkedWhatsAppBusinessAccountId": WABA,
    },
    "socialmessaging:GetLinkedWhatsAppBusinessAccount": whatsapp_account(TOPIC),
    "socialmessaging:ListWhatsAppMessageTemplates": {"templates": [code_template("en")]},
    f"{SMS}:DescribeAccountAttributes": tier("PRODUCTION"),
    f"{SMS}:DescribePhoneNumbers": {"PhoneNumbers": [phone_number(), IN_POOL]},
    f"{SMS}:DescribePools": {"Pools": [pool()]},
    f"{SMS}:DescribeSpendLimits": spend_limits(500),
    f"{SMS}:DescribeConfigurationSets": message_sets(),
    "sesv2:GetAccount": ses(),
    "sesv2:GetEmailIdentity": identities(example_org=identity()),
    "sesv2:GetConfigurationSetEventDestinations": email_set(),
    "sns:ListSubscriptionsByTopic": subscription(f"{ALARM_TOPIC}:1"),
}

# Nothing deployed, nothing requested; its senders are the examples of cdk.json.
NEW: dict[str, Reply] = {
    "cloudformation:DescribeStacks": "ValidationError Stack with id Throughline does not exist",
    "lambda:GetAccountSettings": concurrency(10),
    "service-quotas:ListAWSDefaultServiceQuotas": quotas(),
    "service-quotas:ListServiceQuotas": quotas(transitions=500),
    "socialmessaging:GetLinkedWhatsAppBusinessAccountPhoneNumber": "ResourceNotFoundException no",
    "socialmessaging:ListLinkedWhatsAppBusinessAccounts": {"linkedAccounts": []},
    f"{SMS}:DescribeAccountAttributes": tier("SANDBOX"),
    f"{SMS}:DescribeVerifiedDestinationNumbers": {
        "VerifiedDestinationNumbers": [
            destination_number("VERIFIED"),
            destination_number("PENDING"),
        ]
    },
    f"{SMS}:DescribeAccountLimits": {
        "AccountLimits": [{"Name": "VERIFIED_DESTINATION_NUMBERS", "Used": 2, "Max": 10}]
    },
    f"{SMS}:DescribePhoneNumbers": {"PhoneNumbers": []},
    f"{SMS}:DescribeNotifyConfigurations": {"NotifyConfigurations": []},
    f"{SMS}:DescribeSpendLimits": spend_limits(1),
    "cloudwatch:GetMetricData": metrics(),
    "sesv2:GetAccount": ses(rate=1, day=200, sent=0, production=False),
    "sesv2:GetEmailIdentity": identities(),
}

# Deployed, and every part of it is left half way.
HALF: dict[str, Reply] = PRODUCTION | {
    "lambda:GetAccountSettings": concurrency(100, 50),
    "cloudwatch:GetMetricData": metrics(sends=3, seconds=9, spent=450),
    "socialmessaging:GetLinkedWhatsAppBusinessAccount": whatsapp_account(
        f"arn:aws:sns:{ARN}:another", status="INCOMPLETE"
    ),
    f"{SMS}:DescribePhoneNumbers": {"PhoneNumbers": [phone_number(Status="PENDING")]},
    f"{SMS}:DescribeConfigurationSets": message_sets(topic=f"arn:aws:sns:{ARN}:another"),
    "sesv2:GetEmailIdentity": identities(mail_example_org=identity(verified=False, dkim="PENDING")),
    "sesv2:GetConfigurationSetEventDestinations": email_set(enabled=False),
    "sns:ListSubscriptionsByTopic": subscription("PendingConfirmation"),
}
