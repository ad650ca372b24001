package account_test

import (
	"testing"
	"time"

	"paylink/internal/account"
)

// In Honolulu it is still March while UTC has April: the card is good until March is over there, too.
func TestACardIsGoodUntilItsMonthIsOverEverywhere(t *testing.T) {
	card := account.Card{ExpYear: 2026, ExpMonth: 3}
	evening := time.Date(2026, 4, 1, 9, 59, 0, 0, time.UTC) // 11:59 PM on March 31 in Honolulu
	if today := account.LastDay(evening); card.Expired(today) || !card.Chargeable(today) {
		t.Errorf("it has expired on %s, while its month still is", today)
	}
	if today := account.LastDay(time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)); !card.Expired(today) {
		t.Errorf("it has not expired on %s, and March is over everywhere", today)
	}
}
