package supervisor

import (
	"cmp"
	"context"
	"slices"
	"time"

	"paylink/internal/phone"
	"paylink/internal/staff"
)

// manyClients is from how many clients on a number stands on the control list.
const manyClients = 3

// ControlMost is how many lines each part of the control list has.
const ControlMost = 200

// Shared is a number to which links of several clients went.
type Shared struct {
	Number  phone.Number
	Links   int
	Clients []Choice // id and name, by id
	Agents  []string // names of who sent there
}

// Changed is how often somebody texted another number than the client's.
type Changed struct {
	Agent, Name string
	Sent        int
	Other       int
}

// ToStaff is a link that went to the telephone of one of us.
type ToStaff struct {
	PaymentID string
	At        time.Time
	ClientID  string
	Client    string
	Sender    string // name
	Whose     string // name of whose telephone it is
	Self      bool   // the sender's own
	Number    phone.Number
}

// Control is what a supervisor should ask about.
type Control struct {
	*Town
	Filter  Filter
	Shared  []Shared
	Changed []Changed
	ToStaff []ToStaff
}

// Control goes through the numbers that links of a period went to. Only it opens them all; it keeps none. Errors: ErrPeriod, staff.ErrNotAllowed.
func (d *Desk) Control(ctx context.Context, who staff.Member, f Filter) (*Control, error) {
	if err := who.May(staff.SeeReports); err != nil {
		return nil, d.refused(ctx, who, "see control list", "", err)
	}
	t, err := d.town(ctx, who, false)
	if err != nil {
		return nil, err
	}
	c := &Control{Town: t, Filter: f}
	t.settle(&c.Filter)
	from, to, err := t.between(c.Filter)
	if err != nil {
		return c, err
	}
	clients := map[string]string{} // of the payments that are looked at
	changed := map[string]*Changed{}
	err = d.Store.Sent(ctx, from, to, func(s *Sent) {
		if !t.leaves(&c.Filter, s) {
			return
		}
		clients[s.ID] = s.ClientID
		of := changed[s.Agent]
		if of == nil {
			of = &Changed{Agent: s.Agent, Name: t.agentName(s.Agent)}
			changed[s.Agent] = of
		}
		of.Sent++
		of.Other += one(!s.OwnNumber)
	})
	if err != nil {
		return c, err
	}
	ours := map[phone.Number]staff.Member{}
	for _, m := range t.people {
		if !m.Phone.IsZero() {
			if had, ok := ours[m.Phone]; !ok || m.ID < had.ID {
				ours[m.Phone] = m
			}
		}
	}
	type used struct {
		links   int
		clients []string
		agents  []string
	}
	numbers := map[phone.Number]*used{}
	// A link is resent within hours of being sent.
	err = d.Store.NumbersUsed(ctx, from, to.Add(24*time.Hour), func(u Use) {
		client, counted := clients[u.PaymentID]
		if !counted {
			return
		}
		n := numbers[u.Number]
		if n == nil {
			n = &used{}
			numbers[u.Number] = n
		}
		n.links++
		if !slices.Contains(n.clients, client) {
			n.clients = append(n.clients, client)
		}
		if !slices.Contains(n.agents, u.Agent) {
			n.agents = append(n.agents, u.Agent)
		}
		if m, ok := ours[u.Number]; ok {
			self := t.people[u.Agent].Phone == u.Number
			if self {
				m = t.people[u.Agent]
			}
			c.ToStaff = append(c.ToStaff, ToStaff{PaymentID: u.PaymentID, At: u.At, ClientID: client, Sender: t.agentName(u.Agent), Whose: m.Name, Self: self, Number: u.Number})
		}
	})
	if err != nil {
		return c, err
	}
	for number, n := range numbers {
		if len(n.clients) < manyClients {
			continue
		}
		s := Shared{Number: number, Links: n.links}
		slices.Sort(n.clients)
		for _, id := range n.clients {
			s.Clients = append(s.Clients, Choice{Key: id})
		}
		for _, id := range n.agents {
			s.Agents = append(s.Agents, t.agentName(id))
		}
		slices.Sort(s.Agents)
		c.Shared = append(c.Shared, s)
	}
	slices.SortFunc(c.Shared, func(a, b Shared) int {
		return cmp.Or(cmp.Compare(len(b.Clients), len(a.Clients)), cmp.Compare(b.Links, a.Links), cmp.Compare(a.Number.E164(), b.Number.E164()))
	})
	slices.SortFunc(c.ToStaff, func(a, b ToStaff) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.PaymentID, b.PaymentID))
	})
	for _, of := range changed {
		if of.Other > 0 {
			c.Changed = append(c.Changed, *of)
		}
	}
	slices.SortFunc(c.Changed, func(a, b Changed) int {
		return cmp.Or(cmp.Compare(b.Other*a.Sent, a.Other*b.Sent), cmp.Compare(b.Other, a.Other), cmp.Compare(a.Agent, b.Agent)) // by share
	})
	c.Shared, c.ToStaff, c.Changed = most(c.Shared), most(c.ToStaff), most(c.Changed)
	return c, d.name(ctx, c)
}

func most[T any](list []T) []T { return list[:min(len(list), ControlMost)] }

// name looks up the clients that are named.
func (d *Desk) name(ctx context.Context, c *Control) error {
	var ids []string
	for _, s := range c.Shared {
		for _, client := range s.Clients {
			ids = append(ids, client.Key)
		}
	}
	for _, s := range c.ToStaff {
		ids = append(ids, s.ClientID)
	}
	slices.Sort(ids)
	names, err := d.Store.ClientNames(ctx, slices.Compact(ids))
	if err != nil {
		return err
	}
	for i := range c.Shared {
		for n := range c.Shared[i].Clients {
			c.Shared[i].Clients[n].Name = names[c.Shared[i].Clients[n].Key]
		}
	}
	for i := range c.ToStaff {
		c.ToStaff[i].Client = names[c.ToStaff[i].ClientID]
	}
	return nil
}
