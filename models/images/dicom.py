"""DICOM pictures, as clinics keep them: decoded to what a viewer shows, and nothing of the patient is read.

Only the elements that describe the pixels are parsed (`_TAGS`): names, dates and numbers of patients are passed over and are in no answer.
DICOM PS3.3 C.7.6.3 (pixels), C.11.1 (modality), C.11.2 (values of interest). pydicom parses; it is imported when the first file comes.
"""

import io
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from errors import UserError
from models.images.decode_cost import BUDGET
from models.images.sample_range import Floats, average_blocks, iterate_row_runs

Map = Callable[[NDArray[Any]], Floats]

_OVERLAY_BITS = tuple(group << 16 | 0x0102 for group in range(0x6000, 0x6020, 2))
_TAGS = [
    *("SOPClassUID", "BurnedInAnnotation", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation"),
    *("PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue"),
    *("PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "WindowCenter", "WindowWidth"),
    *("VOILUTFunction", "VOILUTSequence", "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor"),
    *("BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData"),
    *("BluePaletteColorLookupTableData", "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    *("SegmentedBluePaletteColorLookupTableData", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "PixelData", "FloatPixelData", "DoubleFloatPixelData"),
]
_DEFLATED = b"1.2.840.10008.1.2.1.99"
_DICOMDIR = "1.2.840.10008.1.3.10"
_MOST_INFLATED = 200_000_000  # bytes
_MOST_FRAMES = 1_000_000
_LUT_BITS = 16
_FIRST = (b"\0\0", b"\x01\0", b"\x05\0", b"\x08\0", b"\x16\0")  # elements that files without preamble or types begin with
_GPL_ALONE = ("1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")  # JPEG of 12 bits, JPEG Lossless
_JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
_JPEG_2000 = tuple(f"1.2.840.10008.1.2.4.{each}" for each in (90, 91, 92, 93, 201, 202, 203))
_VIDEOS = tuple(f"1.2.840.10008.1.2.4.{each}" for each in range(100, 109))
_CONVERT = "Convert it with GDCM (gdcmconv --raw IN OUT){}, or export it as PNG."
_DAMAGED = "This DICOM file is damaged or cut short; export it again, or give the original file."
_UNKNOWN_TEXT = "The DICOM file does not say whether text is burnt into the picture; look for a name or a date before you share it."
_BURNT_TEXT = "The DICOM file says that text is burnt into the picture: it may name the patient, and the classifier may read it."


def is_dicom(data: bytes) -> bool:
    """Whether the first bytes are those of a DICOM file, with its preamble or, as old ones, without."""
    if data[128:132] == b"DICM":
        return True
    named = data[4:6].isalpha() and data[4:6].isupper()
    if data[:4] == b"\x02\0\0\0":
        return named
    little, big = data[:2] == b"\x08\0", data[:2] == b"\0\x08"
    return len(data) > 132 and ((little and (named or data[2:4] in _FIRST)) or (big and named))


def import_dicom_decoders() -> None:
    """pydicom with all decoders that are installed, and what they import when a first picture comes."""
    from pydicom import charset, config, datadict, encaps, pixels, sequence, values  # noqa: F401

    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", module="pydicom")


class DicomPicture:
    """A DICOM file of one or several frames. Raises UserError where it holds no picture that can be read."""

    def __init__(self, data: bytes) -> None:
        self._set = _parsed(data)
        keyword = next((each for each in ("PixelData", "FloatPixelData", "DoubleFloatPixelData") if each in self._set), None)
        if keyword is None:
            raise UserError(f"This DICOM file holds no picture{_kind(self._set)}; give one that does.")
        self.floats = keyword != "PixelData"
        self._syntax = str(getattr(self._set.file_meta, "TransferSyntaxUID", ""))
        try:
            self.size = int(self._set.Columns), int(self._set.Rows)
            self.channels = int(self._set.SamplesPerPixel)
            self.frames = min(max(1, int(self._set.get("NumberOfFrames") or 1)), _MOST_FRAMES)
            self._bits = int(self._set.BitsAllocated), int(self._set.get("BitsStored") or self._set.BitsAllocated)
            self._photometric = str(self._set.PhotometricInterpretation)
        except Exception as error:  # pydicom raises errors of any type on what is lying or missing
            raise UserError(_DAMAGED) from error
        _check_decoder(self._syntax)

    def check_cost(self) -> None:
        """UserError, before anything is decoded, where a frame would take too much memory."""
        size = self.size[0] * self.size[1] * self.channels * max(1, self._bits[0] // 8)
        if size > BUDGET // 2:
            raise UserError(
                f"One frame of this DICOM file has {size / 1e6:.0f} MB of pixels; {BUDGET / 2e6:.0f} MB is the most. Make it smaller."
            )

    def read(self, frame: int, block: tuple[int, int]) -> tuple[Floats, tuple[str, ...]]:
        """(H, W, 1 or 3) of a frame (from 0) in 0 to 1 as a viewer shows it, and notes. block: (across, down) pixels averaged into one."""
        try:
            stored = self._pixels(frame)
            shown, notes = self._colour(stored, block) if stored.ndim == 3 else self._grey(stored, frame, block)
        except (UserError, MemoryError):
            raise
        except Exception as error:
            raise UserError(_DAMAGED) from error
        return shown, (*notes, *self._burnt_in())

    def _pixels(self, frame: int) -> NDArray[Any]:
        """(H, W) or (H, W, 3) as stored; YBR as RGB."""
        codecs = _pixel_codecs()
        from pydicom.uid import UID

        native = not UID(self._syntax).is_encapsulated
        if not native:
            self._check_frame(frame)
        options: dict[str, Any] = {"correct_unused_bits": False} if native and not self.floats else {}
        found: NDArray[Any] = codecs.pixel_array(self._set, index=frame, **options)
        if found.shape[:2] != self.size[::-1]:
            raise ValueError("pixels of another size than the file says")
        return self._without_unused_bits(found) if native and not self.floats and found.ndim == 2 else found

    def _without_unused_bits(self, found: NDArray[Any]) -> NDArray[Any]:
        """Native samples moved to their lowest bits, without overlays in the others; what is lying about its bits stays as it is."""
        allocated, stored = self._bits
        high = int(self._set.get("HighBit", stored - 1))
        if allocated not in (8, 16, 32) or not 0 < stored < allocated:
            return found
        if stored - 1 < high < allocated:
            found = found >> (high + 1 - stored)
        if found.dtype.kind == "u" and self._overlaid(stored):
            return np.asarray(found & np.array(2**stored - 1, found.dtype))
        if found.dtype.kind == "i":
            unused = allocated - stored
            return np.asarray((found << unused) >> unused)
        return found

    def _overlaid(self, stored: int) -> bool:
        """Whether an overlay is kept in the bits above the stored ones."""
        return any(tag in self._set and int(self._set[tag].value or 0) >= stored for tag in _OVERLAY_BITS)

    def _check_frame(self, frame: int) -> None:
        """UserError where a compressed frame's own header has another size than the file says."""
        from pydicom.encaps import get_frame

        if self._syntax.startswith("1.2.840.10008.1.2.5"):  # run lengths, without a header
            return
        offsets = None
        if "ExtendedOffsetTable" in self._set:
            offsets = self._set.ExtendedOffsetTable, self._set.ExtendedOffsetTableLengths
        coded = get_frame(self._set.PixelData, frame, number_of_frames=self.frames, extended_offsets=offsets)
        if self._syntax in _JPEG_LS:
            return
        with Image.open(io.BytesIO(coded), formats=("JPEG", "JPEG2000")) as image:
            if image.size != self.size:
                raise UserError(
                    f"This DICOM file says {self.size[0]} x {self.size[1]} pixels, and its frame {image.size[0]} x {image.size[1]}; "
                    "export it again."
                )

    def _colour(self, stored: NDArray[Any], block: tuple[int, int]) -> tuple[Floats, list[str]]:
        samples = average_blocks(iterate_row_runs(stored, block), block, 3)
        most = 2.0 ** (8 * stored.dtype.itemsize if samples.high >= 2 ** self._bits[1] else self._bits[1]) - 1
        return np.clip(samples.values / np.float32(most), 0, 1), []

    def _grey(self, stored: NDArray[Any], frame: int, block: tuple[int, int]) -> tuple[Floats, list[str]]:
        if self._photometric.startswith("PALETTE"):
            codecs = _pixel_codecs()

            coloured = codecs.apply_color_lut(stored, self._set)
            samples = average_blocks(iterate_row_runs(coloured, block), block, 3)
            return np.clip(samples.values / np.float32(2.0 ** (8 * coloured.dtype.itemsize) - 1), 0, 1), []
        modality, padding = self._modality(frame), self._padding()
        values, note = self._values_of_interest(frame, modality, stored, padding)
        inverted = self._photometric == "MONOCHROME1"

        def shown(run: NDArray[Any]) -> Floats:
            unit = values(modality(run)).clip(0, 1)
            unit = 1 - unit if inverted else unit
            return np.where((run >= padding[0]) & (run <= padding[1]), 0, unit) if padding else unit

        pixels = average_blocks((shown(run)[..., None] for run in iterate_row_runs(stored, block)), block, 1).values
        notes = [note] if note else []
        return pixels, [*notes, "Its high values are dark (MONOCHROME1) and are shown so."] if inverted else notes

    def _modality(self, frame: int) -> Map:
        """Stored values -> those of the modality, such as Hounsfield units."""
        if table := _table(self._set, "ModalityLUTSequence"):
            return lambda run: table.of(run)
        place = self._group(frame, "PixelValueTransformationSequence")
        slope, intercept = (_number(place.get(name)) for name in ("RescaleSlope", "RescaleIntercept"))
        slope, intercept = slope or 1.0, intercept or 0.0
        return lambda run: (run.astype(np.float64) * slope + intercept).astype(np.float32)

    def _padding(self) -> tuple[float, float] | None:
        """Of stored values, that are no part of the picture."""
        first, last = (_number(self._set.get(name)) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit"))
        return None if first is None else (min(first, first if last is None else last), max(first, first if last is None else last))

    def _values_of_interest(self, frame: int, modality: Map, stored: NDArray[Any], padding: tuple[float, float] | None) -> tuple[Map, str]:
        """What brings the modality's values to 0 (black) to 1 (white): the file's table, its first window, or all values; and a note."""
        if table := _table(self._set, "VOILUTSequence"):
            return lambda values: table.of(values) / np.float32(table.most), ""
        place = self._group(frame, "FrameVOILUTSequence")
        centre, width = (_number(place.get(name)) for name in ("WindowCenter", "WindowWidth"))
        function = str(place.get("VOILUTFunction") or "LINEAR").upper()
        if centre is not None and width is not None and width >= (1 if function == "LINEAR" else 1e-9):
            count = _count(place.get("WindowCenter"))
            more = f", the first of {count}" if count > 1 else ""
            return _window(centre, width, function), f"Shown with the file's window: centre {centre:g}, width {width:g}{more}."
        if self._bits[0] == 8 and not self.floats and not self._set.get("RescaleSlope"):
            return lambda values: values / np.float32(255), ""
        inside = stored if padding is None else stored[(stored < padding[0]) | (stored > padding[1])]
        straight = _table(self._set, "ModalityLUTSequence") is None
        ends = modality(np.array([inside.min(), inside.max()]) if straight else inside) if inside.size else np.zeros(2, np.float32)
        if not np.isfinite(ends).all():
            raise UserError("The picture holds values that are no numbers (NaN or infinite); save it without them.")
        black, white = float(ends.min()), float(ends.max())
        note = f"The file names no window: its smallest and largest values, {black:,.6g} and {white:,.6g}, are black and white."
        return lambda values: (values - np.float32(black)) / np.float32((white - black) or 1), note

    def _group(self, frame: int, name: str) -> Any:
        """Where an element of a frame stands: in the frame's own group, in the one that all frames share, or in the file."""
        own = self._set.get("PerFrameFunctionalGroupsSequence") or []
        for group in [*own[frame : frame + 1], *(self._set.get("SharedFunctionalGroupsSequence") or [])[:1]]:
            if found := group.get(name):
                return found[0]
        return self._set

    def _burnt_in(self) -> Iterator[str]:
        said = str(self._set.get("BurnedInAnnotation", "")).strip().upper()
        if said == "YES":
            yield _BURNT_TEXT
        elif said != "NO":
            yield _UNKNOWN_TEXT


def _parsed(data: bytes) -> Any:
    """The file's data set, of which only the elements of the pixels are kept. UserError."""
    import pydicom
    from pydicom.datadict import tag_for_keyword
    from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    import_dicom_decoders()
    try:
        inflated = _inflated(data)
        tags = [*_OVERLAY_BITS, *(tag for tag in map(tag_for_keyword, _TAGS) if tag is not None)]
        found = pydicom.dcmread(io.BytesIO(data if inflated is None else inflated), force=True, specific_tags=tags)
        if inflated is not None:
            found.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        elif "TransferSyntaxUID" not in found.file_meta:
            implicit, little = found.original_encoding
            found.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
            if not little:
                found.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        return found
    except (UserError, MemoryError):
        raise
    except Exception as error:  # as above; RecursionError too, of sequences in sequences
        raise UserError(_DAMAGED) from error


def _inflated(data: bytes) -> bytes | None:
    """The data set of a deflated file, of at most so many bytes; None where the file is not deflated. UserError."""
    at, deflated = 132, False
    if data[128:132] != b"DICM":
        return None
    while data[at : at + 2] == b"\x02\0":
        long = data[at + 4 : at + 6] in (b"OB", b"OW", b"SQ", b"UN", b"UT")
        length = int.from_bytes(data[at + 8 : at + 12] if long else data[at + 6 : at + 8], "little")
        start = at + (12 if long else 8)
        deflated = deflated or (data[at + 2 : at + 4] == b"\x10\0" and data[start : start + length].rstrip(b"\0 ") == _DEFLATED)
        at = start + length
    if not deflated:
        return None
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    found = stream.decompress(data[at:], _MOST_INFLATED)
    if stream.unconsumed_tail:
        raise UserError(f"This DICOM file unfolds to more than {_MOST_INFLATED / 1e6:.0f} MB; export it without compression.")
    return found


def _pixel_codecs() -> Any:
    """The module of pydicom that decodes pixels, imported where the first one is decoded; its exports have no types."""
    from pydicom import pixels

    return pixels


def _check_decoder(syntax: str) -> None:
    """UserError where nothing that is installed decodes that transfer syntax; it says what does."""
    codecs = _pixel_codecs()
    from pydicom.uid import UID

    if syntax in _VIDEOS:
        raise UserError("This DICOM file is a video, and videos are not explained; export a frame as PNG.")
    uid = UID(syntax)
    if uid.is_transfer_syntax and not uid.is_private and not uid.is_encapsulated:
        return
    try:
        available = codecs.get_decoder(uid).is_available
    except NotImplementedError:
        available = False
    if syntax in _GPL_ALONE or not available:
        raise UserError(f"This DICOM file is compressed as {_syntax_name(uid)}, which {_way_out(syntax)}")


def _way_out(syntax: str) -> str:
    if syntax in _GPL_ALONE:
        return f"only decoders under the GPL read. {_CONVERT.format(' or DCMTK (dcmdjpeg IN OUT)')}"
    if syntax in _JPEG_LS:
        return f"is read where pyjpegls is installed. {_CONVERT.format(' or DCMTK (dcmdjpls IN OUT)')}"
    if syntax in _JPEG_2000:
        return f"is read where pylibjpeg and pylibjpeg-openjpeg are installed. {_CONVERT.format('')}"
    return f"is not read here. {_CONVERT.format('')}"


def _syntax_name(uid: Any) -> str:
    return str(uid.name).split(" (")[0] if uid.is_transfer_syntax and not uid.is_private else "an unknown or private kind"


def _kind(found: Any) -> str:
    """What a file without pixels is, by the standard's own name for it."""
    uid = found.get("SOPClassUID") or found.file_meta.get("MediaStorageSOPClassUID")
    if uid == _DICOMDIR:
        return ": it is a DICOMDIR, the index of the files beside it"
    name = getattr(uid, "name", "") if uid else ""
    return f" ({name})" if name and name != uid else ""


@dataclass(frozen=True, eq=False)
class _Table:
    """PS3.3 C.11.1.1: first is the value that the first entry stands for; what lies outside takes the nearest entry."""

    first: int
    entries: NDArray[np.float32]
    most: float

    def of(self, values: NDArray[Any]) -> Floats:
        places = np.rint(values.astype(np.float64)) - self.first
        return np.asarray(self.entries[places.clip(0, len(self.entries) - 1).astype(np.int64)], np.float32)


def _table(found: Any, name: str) -> _Table | None:
    """The first table of a sequence; None where there is none that can be applied."""
    tables = found.get(name)
    if not tables or not {"LUTDescriptor", "LUTData"} <= set(tables[0].dir()):
        return None
    count, first, bits = (int(each) for each in tables[0].LUTDescriptor)
    data = tables[0].LUTData
    raw = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.atleast_1d(np.asarray(data, np.int64))
    entries = raw[: count or 65_536].astype(np.float32)
    if not entries.size or not 0 < bits <= _LUT_BITS:
        return None
    first = first - 65_536 if first > 32_767 and int(found.get("PixelRepresentation", 0)) else first
    return _Table(first, entries, max(2.0**bits - 1, float(entries.max())))


def _number(value: Any) -> float | None:
    """A finite number, the first where there are several; None for anything else."""
    try:
        first = value if isinstance(value, str | bytes) or not hasattr(value, "__len__") else value[0]
        found = float(first)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return found if np.isfinite(found) else None


def _count(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") and not isinstance(value, str | bytes) else 1


def _window(centre: float, width: float, function: str) -> Map:
    """PS3.3 C.11.2.1.2 and C.11.2.1.3, to 0 to 1; what lies outside is cut off by the caller."""
    if function == "SIGMOID":
        return lambda values: np.asarray(1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -80, 80))), np.float32)
    if function == "LINEAR_EXACT":
        return lambda values: np.asarray((values - centre) / width + 0.5, np.float32)
    if width == 1:
        return lambda values: np.asarray(values > centre - 0.5, np.float32)
    return lambda values: np.asarray((values - (centre - 0.5)) / (width - 1) + 0.5, np.float32)
