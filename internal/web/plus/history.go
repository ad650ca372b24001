package plus

import (
	"time"

	"paylink/internal/day"
	"paylink/internal/desk/agent"
	"paylink/internal/lang"
	"paylink/internal/staff"
	"paylink/internal/web"
)

// History is the Account History tab.
type History struct {
	Rows []InvoiceRow
}

// InvoiceRow is a line of the Account History.
type InvoiceRow struct{ Date, What, Vehicle, Amount, State, Tone, Payment string }

// history is the Account History tab of a client's page.
func (s *server) history(r *web.Request, who staff.Member, c agent.Client, links bool) (History, error) {
	var h History
	invoices, err := s.Desk.Invoices(r.Context(), who, c.ID)
	if err != nil {
		return h, err
	}
	for _, i := range invoices {
		row := InvoiceRow{What: invoiceWhat(i), Amount: i.Total.Accounting(), State: paidBy(i.Door), Tone: "good", Date: lang.English.Date(dayAt(c, i.VehicleID, i.IssuedAt))}
		if i.Total < 0 {
			row.State, row.Tone = "Given back", ""
		}
		if links && i.PaymentID != "" {
			row.Payment = paymentAddress(i.PaymentID)
		}
		for _, v := range c.Vehicles {
			if v.ID == i.VehicleID {
				row.Vehicle = v.Label
			}
		}
		h.Rows = append(h.Rows, row)
	}
	return h, nil
}

// dayAt is the day of a moment where a vehicle is serviced.
func dayAt(c agent.Client, vehicleID string, at time.Time) day.Date {
	for _, v := range c.Vehicles {
		if v.ID == vehicleID || vehicleID == "" {
			return v.Location.Today(at)
		}
	}
	return day.Of(at)
}
