package sqldb

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"paylink/internal/desk/office"
	"paylink/internal/staff"
	"paylink/internal/trail"
)

// SearchTrail lists entries that fit, newest first, at most limit of them. Each thing that one can ask for has its own index, by time: only what is asked for stands in the statement.
func (d *DB) SearchTrail(ctx context.Context, q office.TrailQuery, limit int) ([]trail.Entry, error) {
	var where []string
	var args []any
	arg := func(v any) string {
		args = append(args, v)
		return "$" + strconv.Itoa(len(args))
	}
	for _, is := range [][2]string{{"actor_id", q.ActorID}, {"client_id", q.ClientID}, {"act", q.Act}} {
		if is[1] != "" {
			where = append(where, is[0]+" = "+arg(is[1]))
		}
	}
	if len(q.Objects) > 0 {
		var marks []string
		for _, id := range q.Objects {
			marks = append(marks, arg(id))
		}
		where = append(where, "object IN ("+strings.Join(marks, ", ")+")")
	}
	if q.Refused {
		where = append(where, "refused <> ''")
	}
	if !q.From.IsZero() {
		where = append(where, "at_ms >= "+arg(ms(q.From)))
	}
	if !q.To.IsZero() {
		where = append(where, "at_ms < "+arg(ms(q.To)))
	}
	if q.Before.ID != "" {
		at := arg(ms(q.Before.At))
		where = append(where, "at_ms <= "+at+" AND (at_ms < "+at+" OR id < "+arg(q.Before.ID)+")")
	}
	query := `SELECT id, at_ms, actor_kind, actor_id, act, object, client_id, refused, detail FROM trail`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	var out []trail.Entry
	err := d.read(ctx).each(query+` ORDER BY at_ms DESC, id DESC LIMIT `+arg(limit), args, func(scan func(...any) error) error {
		var e trail.Entry
		var at int64
		err := scan(&e.ID, &at, &e.Actor.Kind, &e.Actor.ID, &e.Act, &e.Object, &e.ClientID, &e.Refused, &e.Detail)
		e.At = fromMS(at)
		out = append(out, e)
		return err
	})
	return out, err
}

// maxActs is more acts than there are kinds of.
const maxActs = 500

// Acts are all acts that the trail knows, in the order of the alphabet. It looks for the next one each time, by the index, and does not read the trail.
func (d *DB) Acts(ctx context.Context) ([]string, error) {
	var out []string
	err := d.read(ctx).each(`WITH RECURSIVE known (act) AS (
			SELECT MIN(act) FROM trail UNION ALL SELECT (SELECT MIN(act) FROM trail WHERE act > known.act) FROM known WHERE known.act IS NOT NULL
		) SELECT act FROM known WHERE act IS NOT NULL LIMIT $1`, []any{maxActs}, func(scan func(...any) error) error {
		out = append(out, "")
		return scan(&out[len(out)-1])
	})
	slices.Sort(out)
	return out, err
}

// StaffCalled finds people by login, name or a part of the name, at most limit of them; whoever it is exactly comes alone.
func (d *DB) StaffCalled(ctx context.Context, words string, limit int) ([]staff.Member, error) {
	words = strings.ToLower(strings.TrimSpace(words))
	var out, exactly []staff.Member
	err := d.read(ctx).each(`SELECT `+staffColumns+` FROM staff WHERE login = $1 OR id = $1 OR LOWER(name) LIKE $2 ESCAPE '\' ORDER BY CASE WHEN login = $1 OR id = $1 OR LOWER(name) = $1 THEN 0 ELSE 1 END, login LIMIT $3`,
		[]any{words, "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(words) + "%", limit}, func(scan func(...any) error) error {
			m, err := scanMember(scan)
			out = append(out, m)
			if m.Login == words || m.ID == words || strings.ToLower(m.Name) == words {
				exactly = append(exactly, m)
			}
			return err
		})
	if len(exactly) == 1 {
		return exactly, err
	}
	return out, err
}

// thingsAtOnce is how many ids one statement looks for.
const thingsAtOnce = 200

// Things says what some ids stand for; those that it does not know are left out. A payment is found by its reference too.
func (d *DB) Things(ctx context.Context, ids []string) (map[string]office.Thing, error) {
	out := map[string]office.Thing{}
	for some := range slices.Chunk(ids, thingsAtOnce) {
		var marks []string
		var args []any
		for i, id := range some {
			marks = append(marks, "$"+strconv.Itoa(i+1))
			args = append(args, id)
		}
		these := `IN (` + strings.Join(marks, ", ") + `)`
		err := d.read(ctx).each(`SELECT 'payment', id, reference FROM payments WHERE id `+these+`
			UNION ALL SELECT 'reference', id, reference FROM payments WHERE reference `+these+`
			UNION ALL SELECT 'invoice', id, number FROM invoices WHERE id `+these+`
			UNION ALL SELECT 'client', id, first_name || ' ' || last_name FROM clients WHERE id `+these+`
			UNION ALL SELECT 'member', id, name FROM staff WHERE id `+these+`
			UNION ALL SELECT 'vehicle', id, label FROM vehicles WHERE id `+these, args, func(scan func(...any) error) error {
			var t office.Thing
			if err := scan(&t.Kind, &t.ID, &t.Name); err != nil {
				return err
			}
			key := t.ID
			if t.Kind == "reference" {
				t.Kind, key = office.APayment, t.Name
			}
			out[key] = t
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
