# -*- test-case-name: tests.agents.openai.test_agent -*-
"""The agent that lets OpenAI's Realtime API talk with the caller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..model.agent import ModelAgent
from ..model.api import Api
from ..model.conduct import Conduct
from .api import OpenAiApi
from .options import read_options

__all__ = ["OpenAi"]


class OpenAi(ModelAgent):
    """Talks with the caller by a model; see docs/openai.rst for its settings."""

    @classmethod
    def read_settings(
        cls, settings: Mapping[str, object], folder: Path
    ) -> tuple[Api, Conduct]:
        """Read its section."""
        options = read_options(settings, folder)
        return OpenAiApi(options), options.conduct
