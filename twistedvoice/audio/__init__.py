"""Sound: G.711, WAV files, resampling. numpy, and no Twisted."""
