"""Twilio: Media Streams, TwiML, webhook signatures, REST requests as values."""
