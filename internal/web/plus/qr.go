package plus

import (
	"fmt"
	"image/color"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// QR is a QR code as an SVG path draws it, with the quiet zone of four modules that the standard asks for (ISO/IEC 18004, 6.3.8).
type QR struct {
	Size int
	Path string
}

const quietZone = 4

// newQR draws a text. Its error means that it is too long for any QR code.
func newQR(text string) (QR, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return QR{}, err
	}
	size := code.Bounds().Dx()
	var path strings.Builder
	for y := range size {
		for x := 0; x < size; x++ {
			from := x
			for x < size && code.At(x, y) == color.Black {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from+quietZone, y+quietZone, x-from, x-from)
			}
		}
	}
	return QR{size + 2*quietZone, path.String()}, nil
}
