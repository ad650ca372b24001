package twiliosim

import "unicode/utf16"

// The default alphabet and its extension table, 3GPP TS 23.038 section 6.2.1. An extended character takes two septets.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// Segments counts the parts that carry the text: GSM-7 if every character is in its alphabet (160 septets,
// or 153 a part), else UCS-2 (70 units, or 67 a part). No character is split between two parts.
func Segments(body string) int {
	units, gsm := gsmUnits(body)
	whole, part := 160, 153
	if !gsm {
		whole, part = 70, 67
		units = units[:0]
		for _, r := range body {
			units = append(units, max(1, utf16.RuneLen(r)))
		}
	}
	total := 0
	for _, u := range units {
		total += u
	}
	if total <= whole {
		return 1
	}
	parts, used := 1, 0
	for _, u := range units {
		if used+u > part {
			parts, used = parts+1, 0
		}
		used += u
	}
	return parts
}

func gsmUnits(body string) (units []int, ok bool) {
	basic, extended := map[rune]bool{}, map[rune]bool{}
	for _, r := range gsmBasic {
		basic[r] = true
	}
	for _, r := range gsmExtended {
		extended[r] = true
	}
	for _, r := range body {
		switch {
		case basic[r]:
			units = append(units, 1)
		case extended[r]:
			units = append(units, 2)
		default:
			return nil, false
		}
	}
	return units, true
}
