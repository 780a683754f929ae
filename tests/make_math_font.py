"""Cut the font of lecture pages out of STIX Math: python tests/make_math_font.py STIXMath-Regular.otf

Takes fonttools and brotli. The licence (OFL 1.1) asks that a changed font bear another name.
"""

import sys
from pathlib import Path

from fontTools import subset

FOLDER = Path(__file__).resolve().parent.parent / "symconv" / "lecture" / "font"
NAME = "symconv Math"
SIGNS = ("∂∑∏∫√∞ℎℓℝℤℕ≤≥≠≈≔−±∓·⋅×∘∗⋆⊙⊗⊛⊕∈∉⊂∝∣→←⇒⇔⌊⌋⌈⌉⟨⟩‖′″…⋯⋮⋱ˆ˜¯˙→"
         "\u2061\u2062\u2063\u2064 \u2009")


def main(source: str) -> None:
    """Write math.woff2."""
    letters = [*range(0x20, 0x7F), *range(0x391, 0x3AA), *range(0x3B1, 0x3CA), 0x3D1, 0x3D5, 0x3F5,
               *range(0x1D400, 0x1D468), *range(0x1D6A8, 0x1D71C), *map(ord, SIGNS)]
    options = subset.Options(flavor="woff2", layout_features=["*"], name_IDs=[0, 1, 2, 4, 6, 13, 14], hinting=False,
                             desubroutinize=True, drop_tables=["FFTM", "GlyphOrder"])
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=letters)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4, 6):
            record.string = NAME.replace(" ", "") if record.nameID == 6 else NAME
    font["CFF "].cff.fontNames = [NAME.replace(" ", "")]
    subset.save_font(font, str(FOLDER / "math.woff2"), options)


if __name__ == "__main__":
    main(sys.argv[1])
