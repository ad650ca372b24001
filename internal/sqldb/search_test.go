package sqldb_test

import (
	"fmt"
	"testing"

	"paylink/internal/account"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
)

// TestACommonNameHidesNobody: of a hundred of one name the first are always the same ones, as many as fit, and who is asked for exactly comes before them.
func TestACommonNameHidesNobody(t *testing.T) {
	onBoth(t, func(b *books) {
		var in sqldb.Import
		car := func(id, client, plate string) {
			in.Vehicles = append(in.Vehicles, account.Vehicle{ID: id, ClientID: client, LocationID: "VA-RIC", Label: "Car", Plate: plate, Program: account.IID, PaidTo: "2026-03-02"})
		}
		for n := 100; n > 0; n-- { // the last come first
			id := fmt.Sprintf("91%04d", n)
			in.Clients = append(in.Clients, account.Client{ID: id, FirstName: fmt.Sprintf("José %03d", n), LastName: "Smith", Language: "en", Phone: phone.Stored("+18045550199")})
			for v := range 6 { // join rows must not count
				car(fmt.Sprintf("veh_%s_%d", id, v), id, fmt.Sprintf("S%d-%d", n, v))
			}
		}
		in.Clients = append(in.Clients, account.Client{ID: "920001", FirstName: "Zoe", LastName: "Zander", Language: "en", Phone: phone.Stored("+18045550198")})
		car("veh_zoe", "920001", "SMI-TH")
		b.must(b.Import(b.ctx, in))
		found, err := b.SearchClients(b.ctx, "JOSÉ Smith", phone.Number{}, nil, 20)
		b.must(err)
		if len(found) != 20 {
			b.Fatalf("%d are found", len(found))
		}
		for i, f := range found {
			if want := fmt.Sprintf("91%04d", i+1); f.ID != want || len(f.Vehicles) != 6 {
				b.Errorf("%d: %s with %d vehicles, want %s", i, f.ID, len(f.Vehicles), want)
			}
		}
		found, err = b.SearchClients(b.ctx, "smith", phone.Number{}, nil, 20)
		b.must(err)
		if len(found) != 20 || found[0].ID != "920001" || found[1].ID != "910001" || found[19].ID != "910019" {
			b.Errorf("a plate that is it exactly does not come first: %+v", found)
		}
	})
}
