# What people do here. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: run test check guards proof bench storm stripe-live help

run: ## the whole town on this machine: http://127.0.0.1:8080, phone on :8081
	go run ./cmd/paysim

test: ## everything that CI runs; installs what is missing
	scripts/test.sh

check: ## the fast part: format, vet, lint and the tests that need nothing installed
	@test -z "$$(gofmt -l cmd internal templates)" || { gofmt -l cmd internal templates; echo "gofmt -w these"; exit 1; }
	go vet ./...
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go test ./...

guards: ## takes each guard of the payment machine away and sees its test fail; GUARD=name for one
	scripts/with-postgres.sh env PAYLINK_TEST_ALL=1 go test -v -count=1 -timeout 20m -tags guards_off -run 'TestEveryGuardIsMissed/$(if $(GUARD),^$(GUARD)$$)' ./internal/guard

proof: ## the numbers: 10,000 seeds with their faults, the guards' score, five minutes of storm
	go test -count=1 -v -timeout 60m -run TestWhateverGoesWrong ./internal/simulation -seeds $(or $(SEEDS),10000)
	$(MAKE) --no-print-directory guards storm

bench: ## the budgets, measured: service, bare handler and Redis memory in one run
	go run ./bench

storm: ## two services, everything breaks, and the books must agree; FOR=5m SEED=n
	cd storm && go run -race . -for $(or $(FOR),5m) $(if $(SEED),-seed $(SEED))

stripe-live: ## what only real Stripe can prove; needs STRIPE_SECRET_KEY=sk_test_…
	@case "$$STRIPE_SECRET_KEY" in sk_test_*) ;; *) echo "stripe-live: set STRIPE_SECRET_KEY to a key of Stripe's test mode (sk_test_…)" >&2; exit 1;; esac
	go test -count=1 -tags stripe_live -run Live -v ./internal/stripepay

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
