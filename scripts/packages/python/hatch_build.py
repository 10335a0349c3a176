"""Names the platform of the wheel: any Python 3, no ABI of Python, one kind of machine."""

import os

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PlatformTag(BuildHookInterface):
    def initialize(self, version, build_data):
        build_data["pure_python"] = False
        build_data["tag"] = "py3-none-" + os.environ["GLOVEBOX_WHEEL_PLATFORM"]
