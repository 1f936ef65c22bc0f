"""Archives made for a test, and the tree hash that their content should have."""

import hashlib
import io
import tarfile
import zipfile

FILES = {"train/a.npy": b"one", "train/b c.npy": b"", "val/ä.npy": bytes(range(256)) * 20}


def expected_tree(files):
    text = b""
    for name in sorted(files):
        content = files[name]
        text += name.encode() + b"\0%d\0" % len(content) + hashlib.sha256(content).hexdigest().encode() + b"\n"
    return hashlib.sha256(text).hexdigest()


def entry(name, kind=tarfile.REGTYPE, size=0, **fields):
    """A header of a tar archive."""
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    for field, value in fields.items():
        setattr(member, field, value)
    return member


def pack(path, files, prefix=""):
    """Pack files; a name may be a header of its own, with its content."""
    if path.name.endswith("zip"):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in files.items():
                archive.writestr(name if isinstance(name, zipfile.ZipInfo) else prefix + name, content)
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, content in files.items():
            member = name if isinstance(name, tarfile.TarInfo) else entry(prefix + name, size=len(content))
            archive.addfile(member, io.BytesIO(content))
    return path
