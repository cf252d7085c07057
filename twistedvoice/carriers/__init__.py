"""One folder a carrier: what it says and how, without any I/O."""
