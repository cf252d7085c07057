"""A telephony service on Twisted and Autobahn that answers calls with voice agents."""

__version__ = "26.1.0"

__all__ = ["__version__"]
