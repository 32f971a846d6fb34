"""What a conversion knows of its files."""

import hashlib

from hybrid_depth.releases.conversion import sha256


def test_hash_is_that_of_the_whole_file(tmp_path):
    content = bytes(range(256)) * 10_000  # more than is read at once
    (tmp_path / 'file').write_bytes(content)
    assert sha256(tmp_path / 'file') == hashlib.sha256(content).hexdigest()
