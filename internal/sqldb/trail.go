package sqldb

import (
	"context"
	"errors"
	"slices"
	"strings"

	"paylink/internal/trail"
)

// trail has a transaction leave entries; chain writes them.
func (t tx) trail(entries []trail.Entry) error {
	if t.acts == nil {
		return errors.New("what only reads leaves no trail")
	}
	*t.acts = append(*t.acts, entries...)
	return nil
}

// chain is the last thing that a transaction does. Each client's entries are a chain, and so are those that concern no client: one chain for all would make every
// transaction wait for every other. The head's own update locks the chain until the commit. It comes after all other locks, and one head after the other in the order of their
// names, so that no two transactions wait for each other.
func (t tx) chain(entries []trail.Entry) error {
	slices.SortStableFunc(entries, func(a, b trail.Entry) int { return strings.Compare(a.ClientID, b.ClientID) })
	for len(entries) > 0 {
		clientID := entries[0].ClientID
		count := slices.IndexFunc(entries, func(e trail.Entry) bool { return e.ClientID != clientID })
		if count < 0 {
			count = len(entries)
		}
		if err := t.extend(clientID, entries[:count]); err != nil {
			return err
		}
		entries = entries[count:]
	}
	return nil
}

func (t tx) extend(clientID string, entries []trail.Entry) error {
	var n int64
	var last string
	if err := t.row(`INSERT INTO trail_heads (client_id, n, hash) VALUES ($1, $2, $3) ON CONFLICT (client_id) DO UPDATE SET n = trail_heads.n + excluded.n RETURNING n, hash`,
		clientID, len(entries), trail.Hash{}.String()).Scan(&n, &last); err != nil {
		return err
	}
	hash, err := trail.ParseHash(last)
	if err != nil {
		return err
	}
	n -= int64(len(entries))
	for _, e := range entries {
		n++
		hash = e.Hash(hash, n)
		if err := t.exec(`INSERT INTO trail (id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail, n, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			e.ID, ms(e.At), string(e.Actor.Kind), e.Actor.ID, e.Act, e.Object, e.ClientID, e.Refused, e.Detail, n, hash.String()); err != nil {
			return err
		}
	}
	return t.exec(`UPDATE trail_heads SET hash = $1 WHERE client_id = $2`, hash.String(), clientID)
}

// Write adds a trail entry outside any act.
func (d *DB) Write(ctx context.Context, e trail.Entry) error {
	return d.write(ctx, func(t tx) error { return t.trail([]trail.Entry{e}) })
}
