"""What a file is by its first bytes, whatever its name says, and why it is not read where it is no picture that is read here."""

from errors import UserError

TAKES = "Crosscheck reads JPEG, PNG, WebP, AVIF, BMP, TIFF, GIF and DICOM"
DAMAGED = "This {} is damaged or cut short; save it again, or give the original file."
_VIDEO = "This file is a video, and videos are not explained; save one of its frames as JPEG or PNG."
_HEIC = (
    "This file is a HEIC photograph, whose free decoders are under the GPL and LGPL and not part of this program; export it as JPEG "
    "(on a phone: share or save it as JPEG)."
)
_AVIF = "This file is an AVIF picture, which this Pillow was built without; save it as JPEG or PNG."
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG": "PNG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"GIF8": "GIF",
}
_OTHERS = {  # in lower case
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file, perhaps an SVG drawing",
    b"%pdf": "a PDF",
    b"%!ps": "a PostScript file",
    b"pk\x03\x04": "a zip archive",
    b"version https://git-lfs": "a Git LFS pointer, not the file it stands for",
    b"\x1f\x8b": "compressed with gzip, as NIfTI volumes often are",
    b"\x93numpy": "a NumPy array",
    b"\x89hdf": "an HDF5 file",
    b"8bps": "a Photoshop document",
    b"nrrd": "an NRRD volume",
    b"\0\0\0\x0cjp  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"\0\0\0\x0cjxl ": "a JPEG XL picture",
    b"\xff\x0a": "a JPEG XL picture",
    b"v/1\x01": "an OpenEXR picture",
    b"#?radiance": "a Radiance HDR picture",
}
_VIDEO_STARTS = (b"\x1a\x45\xdf\xa3", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV\x01", b"0&\xb2u", b"OggS")
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def unreadable_file_error(data: bytes) -> UserError:
    """Why a file that no decoder took is not a picture."""
    for sign, kind in _STARTS.items():
        if data.startswith(sign):
            return UserError(DAMAGED.format(kind))
    if data[:4] == b"RIFF":
        return UserError(_VIDEO if data[8:12] == b"AVI " else DAMAGED.format("WebP"))
    if data.startswith(_VIDEO_STARTS):
        return UserError(_VIDEO)
    if data[4:8] in (b"ftyp", b"moov", b"mdat"):
        return _in_boxes(data)
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for sign, what in _OTHERS.items():
        if start.startswith(sign) or data.startswith(sign):
            return UserError(f"This file is {what}, not a picture that is read here. {TAKES}.")
    return UserError(f"This file is not a picture in a known format. {TAKES}.")


def _in_boxes(data: bytes) -> UserError:
    """Of the ISO base media format: photographs and videos alike begin with the names of what they are."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        from PIL import features

        return UserError(DAMAGED.format("AVIF") if features.check("avif") else _AVIF)
    return UserError(_HEIC if brands & _HEIC_BRANDS else _VIDEO)
