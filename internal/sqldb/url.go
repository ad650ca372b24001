package sqldb

import (
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ErrURL is returned for an address that is neither sqlite:PATH nor a postgres:// address that can be read.
var ErrURL = errors.New("the database's address must be sqlite:PATH or postgres://…, in a form that can be read")

// CheckURL says whether an address has one of the forms that Config.URL lists. It asks nobody. Errors: ErrURL, without the address.
func CheckURL(address string) error {
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok && path != "" {
		return nil
	}
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		if _, err := pgx.ParseConfig(address); err == nil {
			return nil
		}
	}
	return ErrURL
}
