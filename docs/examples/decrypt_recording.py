"""Decrypt a recording of twistedvoice: python decrypt_recording.py KEYFILE IN OUT."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

key = bytes.fromhex(Path(sys.argv[1]).read_text())  # or base64.b64decode
file = Path(sys.argv[2]).read_bytes()
assert file[:8] == b"TVVAULT1", "no encrypted recording"
keys = HKDF(SHA256(), 80, file[8:40], b"twistedvoice recording 1").derive(key)
assert file[40:56] == keys[64:], "another key"
boxes = [file[56:142]] + [file[at : at + 4096] for at in range(4096, len(file), 4096)]
wav = b""
for number, box in enumerate(boxes):
    wav += AESGCM(keys[:32]).decrypt(box[:12], box[12:], number.to_bytes(8, "big"))
assert int.from_bytes(wav[4:8], "little") + 8 == len(wav), "the end is missing"
Path(sys.argv[3]).write_bytes(wav)
