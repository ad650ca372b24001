package web

import (
	"bytes"
	"encoding/csv"
	"regexp"
	"strings"
)

// CSV answers with a table to keep (RFC 4180), its names in the first row: UTF-8 with the mark by which spreadsheets know it. A spreadsheet takes none of its words for a formula (OWASP, CSV injection); numbers stay numbers.
func CSV(name string, rows [][]string) (Answer, error) {
	var b bytes.Buffer
	b.WriteString("\ufeff")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, row := range rows {
		harmless := make([]string, len(row))
		for i, cell := range row {
			harmless[i] = cell
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) && !aNumber.MatchString(cell) {
				harmless[i] = "'" + cell
			}
		}
		if err := w.Write(harmless); err != nil {
			return Answer{}, err
		}
	}
	w.Flush()
	return File("text/csv; charset=utf-8", name, b.Bytes()), w.Error()
}

var aNumber = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
