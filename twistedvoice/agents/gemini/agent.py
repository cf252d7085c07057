# -*- test-case-name: tests.agents.gemini.test_agent -*-
"""The agent that lets the Gemini Live API talk with the caller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..model.agent import ModelAgent
from ..model.api import Api
from ..model.conduct import Conduct
from .api import GeminiApi
from .options import read_options

__all__ = ["Gemini"]


class Gemini(ModelAgent):
    """Talks with the caller by a model; see docs/gemini.rst for its settings."""

    @classmethod
    def read_settings(
        cls, settings: Mapping[str, object], folder: Path
    ) -> tuple[Api, Conduct]:
        """Read its section."""
        options = read_options(settings, folder)
        return GeminiApi(options), options.conduct
