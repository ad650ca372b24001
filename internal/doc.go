// Package internal is the house: everything behind the two commands. This page is its floor plan; floors_test.go beside it reads the
// imports of every file and fails on one that goes up, sideways or somewhere unplanned. To change the plan, change this page, the test
// and the reason for it in one commit.
//
// Imports run strictly downward. Rooms on one floor do not know one another, so that each can be read, tested and replaced alone.
//
// From the ground up:
//
//   - words: money (integer cents), phone (a number parsed once and masked ever after), day (a date on the calendar, with no time and no
//     zone), seal (secrets sealed at rest, and proof that what a browser brings back is ours), lockout (wrong tries, counted) and guard (the names of the payment machine's guards: a test
//     build takes each away, to see its test fail).
//   - words about words: lang (what people read, in their language, money and days included) and trail (who acts, and what is written of it).
//   - facts: account (clients, vehicles, locations, cards on file), ledger (invoices and postings), staff (who may do what), sms (the text and
//     its delivery), link (the token and the link), post (letters by mail, and their words) and appointment (slots).
//   - the first rule: quote, pure, from an account's vehicle and a number of days to an Invoice Summary.
//   - the second rule: pay, the payment machine.
//   - the third rule: autopay, when a card is charged by itself; pure. And the wallet, which keeps clients' cards on file.
//   - use cases, by who acts: desk/signin (whoever is at the door: passwords, second factors, passkeys, single sign-on), desk/agent,
//     desk/supervisor (reports, and what a team has sent), desk/admin (staff, locations, rates, fees, terms), desk/office (Finance's and the
//     auditors'), desk/payer, desk/client, and desk/clock, which acts by itself. They authorise, price and word.
//   - edges, one outside thing each: web (answers, the error table, pages, guards; shared by the doors), sqldb, redisdb, stripepay, twiliosms,
//     signon (the company's OpenID Connect provider), mail and pdf. An edge turns its supplier's errors into ours and lets none of its types through.
//   - doors, one audience each, on top of web: web/plus (agents), web/payer, web/portal (clients), web/api and web/hooks (suppliers).
//   - app: from one Config to a running service. Both commands use it.
//   - demo: the invented clients, locations and staff; only cmd/paysim and tests import it.
//   - cmd/paylink, the service, and cmd/paysim, the town.
//
// Beside the stairs:
//
//   - templates, outside internal, embeds the pages and imports nothing; edges and above use it.
//   - sim/stripesim, sim/twiliosim and sim/smtpsim stand in for the suppliers and the mail server at wire level. They know nothing of us, not even words, since a stand-in that
//     shared our code would share our mistakes; only cmd/paysim and tests import them, so that the service cannot contain one.
//   - testbed lends tests real databases, Redis and a browser; only tests import it.
//   - simulation plays seeded histories of the service in virtual time, on a real database, with suppliers and people that misbehave; it is tests only.
//   - tests, bench, e2e and storm (a module of its own) may import what they like.
//
// Some things have one keeper. Stripe's SDK is imported by stripepay alone, Twilio's by twiliosms, the Redis client by redisdb, SQL and its
// drivers by sqldb, the mail library by mail, the PDF library by pdf, OpenID Connect by signon, the embedded Redis by cmd/paysim. From words to desk nobody imports net/http, database/sql, html/template, os or a log:
// the business does not know that it is a web service. Only app and the commands read the clock (time.Now); others are handed one.
// The one file that reads the environment for guard is in no build but that of the guards' tests. There is no init function, and no variable of a package ever changes.
package internal
