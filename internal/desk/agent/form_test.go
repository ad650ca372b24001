package agent

import (
	"testing"

	"paylink/internal/phone"
)

// A second click finds the first one's payment; a corrected number, vehicle or number of days is another wish, and meets the first payment as what it is: in the way.
func TestACorrectedFormIsAnotherForm(t *testing.T) {
	m := Message{Choice: Choice{VehicleID: "veh_a", Days: 30}, FormKey: "KEY"}
	one, other := phone.Stored("+18045550142"), phone.Stored("+18045550143")
	if again := m.form(one); again != m.form(one) || again == "" {
		t.Error("the same form has two keys, or none")
	}
	days, vehicle := m, m
	days.Days, vehicle.VehicleID = 14, "veh_b"
	for name, key := range map[string]string{"number": m.form(other), "days": days.form(one), "vehicle": vehicle.form(one)} {
		if key == m.form(one) {
			t.Errorf("another %s has the same key", name)
		}
	}
	if (Message{}).form(one) != "" {
		t.Error("an order that no form sent has a key")
	}
}
