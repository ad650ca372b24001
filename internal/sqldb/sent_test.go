package sqldb_test

import (
	"fmt"
	"testing"
	"time"

	"paylink/internal/account"
	"paylink/internal/appointment"
	"paylink/internal/pay"
	"paylink/internal/phone"
	"paylink/internal/sqldb"
)

func TestWhatADeskReadsOfAClient(t *testing.T) {
	onBoth(t, func(b *books) {
		var sent []string
		for range 3 {
			p := b.sent("100042", "veh_dana_civic")
			b.must(b.change(p.ID, func(_ pay.View, c *pay.Change) { c.Life.State, c.Life.NextAt = pay.Revoked, time.Time{} }))
			sent = append([]string{p.ID}, sent...)
			b.pass(time.Minute)
		}
		var read []string
		for after := ""; len(read) < 9; after = read[len(read)-1] {
			page, err := b.PaymentsAfter(b.ctx, "100042", after, 2)
			b.must(err)
			for _, p := range page {
				read = append(read, p.ID)
			}
			if len(page) < 2 {
				break
			}
		}
		if fmt.Sprint(read) != fmt.Sprint(sent) {
			b.Errorf("they read %v, want %v", read, sent)
		}
		links, err := b.NewestLinks(b.ctx, sent[:2])
		b.must(err)
		if len(links) != 2 || links[sent[0]].Phone.Last4() != "0142" || !links[sent[1]].OwnNumber {
			b.Errorf("their links are %+v", links)
		}
		if none, err := b.NewestLinks(b.ctx, nil); err != nil || len(none) != 0 {
			b.Errorf("none have %v, %v", none, err)
		}

		b.must(b.Import(b.ctx, sqldb.Import{
			Clients: []account.Client{{ID: "900001", FirstName: "Ana", LastName: "Whitfield", Language: "en", Phone: phone.Stored("+18045550142")}},
			Booked: []appointment.Appointment{
				{ID: "a1", ClientID: "900001", LocationID: "VA-RIC", Kind: appointment.Service, StartsAt: began.Add(time.Hour), Minutes: 30, Bay: 2, State: appointment.Booked},
				{ID: "a2", ClientID: "900001", LocationID: "VA-RIC", Kind: appointment.Removal, StartsAt: began.Add(2 * time.Hour), Minutes: 60, Bay: 2, State: appointment.Cancelled},
			},
		}))
		clients, err := b.ClientsAt(b.ctx, phone.Stored("+18045550142"), 5)
		b.must(err)
		if len(clients) != 2 || clients[0].ID != "100042" || clients[1].Name() != "Ana Whitfield" {
			b.Errorf("the number is on the records of %v", clients)
		}
		booked, err := b.Appointments(b.ctx, "900001", 5)
		b.must(err)
		if len(booked) != 2 || booked[0].ID != "a2" || !booked[1].StartsAt.Equal(began.Add(time.Hour)) || booked[1].State != appointment.Booked || booked[1].VehicleID != "" {
			b.Errorf("the appointments are %+v", booked)
		}
	})
}
