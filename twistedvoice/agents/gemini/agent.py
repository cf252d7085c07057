# -*- test-case-name: tests.agents.gemini.test_agent -*-
"""The agent that lets the Gemini Live API talk with the caller."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ...interfaces import AgentFactory
from ..model.agent import ModelAgent
from ..model.factory import Model
from .api import GeminiApi
from .options import read_options

__all__ = ["Gemini"]


class Gemini(ModelAgent):
    """Talks with the caller by a model; see docs/gemini.rst for its settings."""

    @classmethod
    def configure(cls, settings: Mapping[str, object], folder: Path) -> AgentFactory:
        """Read the settings and encode the prompts."""
        options = read_options(settings, folder)
        return Model(cls, GeminiApi(options), options.conduct)
