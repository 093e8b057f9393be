"""The scenarios file: whom an entry is for, and what is said about a wrong one."""

from pathlib import Path

import pytest

from simulator.channels import create_providers
from simulator.scenarios import InvalidScenarios, Scenarios, load_scenarios
from tests.support.simulator import ACCOUNT

PROVIDERS = create_providers(ACCOUNT)


def read(tmp_path: Path, text: str) -> Scenarios:
    path = tmp_path / "scenarios.toml"
    path.write_text(text, encoding="utf-8")
    return load_scenarios(PROVIDERS, path)


def sms(rest: str) -> str:
    return f'[sms]\ndefault = "fine"\nscenarios.fine.says = "fine"\n{rest}\n'


def test_an_exact_recipient_wins_over_a_pattern_and_the_first_pattern_over_the_next(
    tmp_path: Path,
) -> None:
    names = ("a", "b", "c")
    scenarios = "\n".join(f'scenarios.{name}.says = "{name}"' for name in names)
    recipients = '"+1*" = "a"\n"+1???5550177" = "b"\n"+14255550177" = "c"'
    channel = read(tmp_path, sms(f"{scenarios}\n[sms.recipients]\n{recipients}")).channels["sms"]

    assert channel.choose("+14255550177") == "c"
    assert channel.choose("+12065550177") == "a"
    assert channel.choose("+4712345678") == "fine"


def test_every_scenario_of_the_standard_files_has_a_recipient() -> None:
    for channel in load_scenarios(PROVIDERS).channels.values():
        used = {channel.default, *channel.recipients.values()}
        assert set(channel.scenarios) == used


def scenario(rest: str) -> str:
    return f'[sms.scenarios.x]\nsays = "x"\n{rest}'


def answer(**members: str) -> str:
    return scenario("\n".join(f"answer.{name} = {value}" for name, value in members.items()))


@pytest.mark.parametrize(
    ("rest", "entry"),
    [
        ("colour = 1", "colour: Extra inputs are not permitted"),
        ("[sms.scenarios.x]", "scenarios.x.says: Field required"),
        (scenario("colour = 1"), "scenarios.x.colour: Extra inputs"),
        (
            scenario('receipts = [{receipt = "TEXT_PENDING", after_seconds = -1}]'),
            "scenarios.x.receipts.0.after_seconds: Input should be greater than",
        ),
        (
            scenario('receipts = [{receipt = "delivered"}]'),
            "scenarios.x.receipts.0.receipt: there is no receipt 'delivered'",
        ),
        (
            answer(error='"Conflict"'),
            "scenarios.x.answer.error: 'Conflict' is not an exception of SendTextMessage",
        ),
        (
            answer(error='"ConflictException"', members='{Reason = "BAD_MOOD"}'),
            "scenarios.x.answer.error: 'BAD_MOOD' is not a Reason of ConflictException",
        ),
        (
            answer(error='"ConflictException"', members='{Mood = "BAD"}'),
            "scenarios.x.answer.error: 'Mood' is not a member of ConflictException",
        ),
        (
            answer(times="2"),
            "scenarios.x.answer: message, members, times and accepted describe an error",
        ),
        (
            answer(error='"ThrottlingException"', drop="true"),
            "scenarios.x.answer: a dropped connection returns no error",
        ),
        (
            answer(error='"ThrottlingException"', times="2", accepted="true"),
            "scenarios.x.answer: use either times",
        ),
        (
            answer(after_receipts="1"),
            "scenarios.x.answer.after_receipts: there are only 0 receipts",
        ),
        (
            '[sms.recipients]\n"+14255550177" = "nowhere"',
            "recipients.\"+14255550177\": there is no scenario 'nowhere'",
        ),
    ],
)
def test_an_invalid_entry_is_named(tmp_path: Path, rest: str, entry: str) -> None:
    with pytest.raises(InvalidScenarios) as wrong:
        read(tmp_path, sms(rest))

    assert str(wrong.value).startswith(f"{tmp_path / 'scenarios.toml'}: sms.{entry}")


def test_all_invalid_entries_are_named_at_once(tmp_path: Path) -> None:
    recipients = '[sms.recipients]\n"+14255550177" = "nowhere"\n"+14255550178" = "elsewhere"'
    with pytest.raises(InvalidScenarios) as wrong:
        read(tmp_path, sms(recipients))

    assert len(str(wrong.value).splitlines()) == 2


def test_invalid_toml_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarios, match="is not TOML"):
        read(tmp_path, "speed = ")
    with pytest.raises(InvalidScenarios, match="cannot be read: No such file"):
        load_scenarios(PROVIDERS, tmp_path / "nowhere.toml")


@pytest.mark.parametrize("speed", [0, -1, 1001])
def test_a_speed_out_of_range_is_rejected(speed: float) -> None:
    with pytest.raises(InvalidScenarios, match="speed"):
        load_scenarios(PROVIDERS).at_speed(speed)


def test_a_file_replaces_the_scenarios_of_its_channels_only(tmp_path: Path) -> None:
    standard, given = load_scenarios(PROVIDERS), read(tmp_path, f"speed = 3\n{sms('')}")

    assert (given.speed, standard.speed) == (3, 1)
    assert set(given.channels["sms"].scenarios) == {"fine"}
    assert {**given.channels, "sms": None} == {**standard.channels, "sms": None}


def test_a_file_with_an_unknown_channel_is_invalid(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarios, match="pigeon: unknown; known are speed, "):
        read(tmp_path, '[pigeon]\ndefault = "fine"')


def test_a_file_with_an_invalid_speed_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidScenarios, match=r"scenarios\.toml: speed: Input should be"):
        read(tmp_path, "speed = 0")
