"""The fee policy of commands."""

from typing import ClassVar

from der_client.stacks.fees import FeePolicy


class CommandFees(FeePolicy):
    """The default policy, whose errors name the option of commands."""

    _cap_name: ClassVar[str] = "--max-fee"
