package guard

// The guards, in the order in which a payment meets them.
const (
	// A link is sent.

	AccountLock  Name = "account-lock"
	Version      Name = "version"
	OneLive      Name = "one-live"
	VehicleIndex Name = "vehicle-index"
	BalanceIndex Name = "balance-index"
	Reservation  Name = "reservation"
	Undecided    Name = "undecided"
	FormKey      Name = "form-key"
	ReplaceOpen  Name = "replace-open"
	FormUnique   Name = "form-unique"

	// Its text goes out.

	IntentFirst  Name = "intent-first"
	DoorFirst    Name = "door-first"
	IntentSame   Name = "intent-same"
	IntentOnce   Name = "intent-once"
	IntentUnique Name = "intent-unique"
	HandOverOnce Name = "hand-over-once"
	HandOverTime Name = "hand-over-time"
	Validity     Name = "validity"
	OneMoreText  Name = "one-more-text"
	OptOut       Name = "opt-out"
	TextOnce     Name = "text-once"
	TextRank     Name = "text-rank"

	// The payer presses the button.

	Signature     Name = "signature"
	SessionEnd    Name = "session-end"
	NonceRefuse   Name = "nonce-refuse"
	NoncePayment  Name = "nonce-payment"
	NonceLink     Name = "nonce-link"
	NonceSummary  Name = "nonce-summary"
	NonceOnce     Name = "nonce-once"
	NonceUnique   Name = "nonce-unique"
	TermsVersion  Name = "terms-version"
	TermsLock     Name = "terms-lock"
	LocationLock  Name = "location-lock"
	CardKnown     Name = "card-known"
	CardBrand     Name = "card-brand"
	BoughtBrand   Name = "bought-brand"
	SavedBrand    Name = "saved-brand"
	LiveLink      Name = "live-link"
	LinkIndex     Name = "link-index"
	MostResends   Name = "most-resends"
	ClaimState    Name = "claim-state"
	ClaimTime     Name = "claim-time"
	ClaimTimeSQL  Name = "claim-time-sql"
	IntentStored  Name = "intent-stored"
	BoundT3       Name = "bound-t3"
	FiveDeclines  Name = "five-declines"
	SavedDeclined Name = "saved-declined"
	MostAttempts  Name = "most-attempts"
	WithoutCancel Name = "without-cancel"
	OwnSession    Name = "own-session"

	// Stripe answers.

	UnknownState Name = "unknown-state"
	TraceCard    Name = "trace-card"
	TraceAgain   Name = "trace-again"
	TraceSince   Name = "trace-since"
	Echo         Name = "echo"
	DeadAnswer   Name = "dead-answer"
	RefusalCopy  Name = "refusal-copy"
	RefusalPhase Name = "refusal-phase"
	PhaseBack    Name = "phase-back"
	Phase2Lease  Name = "phase2-lease"
	ActionLease  Name = "action-lease"
	SendTime     Name = "send-time"
	BoundT8      Name = "bound-t8"
	BoundT4      Name = "bound-t4"
	RevokeFlag   Name = "revoke-flag"
	ClosingAs    Name = "closing-as"
	CancelFirst  Name = "cancel-first"
	CancelDue    Name = "cancel-due"
	SameAmount   Name = "same-amount"
	SameCurrency Name = "same-currency"
	SameAccount  Name = "same-account"
	EventSigned  Name = "event-signed"
	EventFuture  Name = "event-future"
	EventOnce    Name = "event-once"
	EventAccount Name = "event-account"
	CallSigned   Name = "call-signed"

	// Money is booked.

	CauseUnique  Name = "cause-unique"
	EntryBalance Name = "entry-balance"
	AppendOnly   Name = "append-only"
	PaidToMoved  Name = "paid-to-moved"
	TrailChain   Name = "trail-chain"

	// Money comes late, or goes back.

	LateMoney       Name = "late-money"
	LateReason      Name = "late-reason"
	LateBound       Name = "late-bound"
	LateAlone       Name = "late-alone"
	LateMany        Name = "late-many"
	RefundRow       Name = "refund-row"
	RefundListed    Name = "refund-listed"
	RefundKey       Name = "refund-key"
	RefundMost      Name = "refund-most"
	RefundCheck     Name = "refund-check"
	OneRefund       Name = "one-refund"
	RefundIndex     Name = "refund-index"
	RefundAlone     Name = "refund-alone"
	Reconcile       Name = "reconcile"
	ReconcileClose  Name = "reconcile-close"
	ReconcileSend   Name = "reconcile-send"
	ReconcilePay    Name = "reconcile-pay"
	ReconcileBuy    Name = "reconcile-buy"
	ReconcileCharge Name = "reconcile-charge"

	// A card is kept on file.

	SetupOwner Name = "setup-owner"
	CardInUse  Name = "card-in-use"
	CardNumber Name = "card-number"

	// What nobody is to see, and who may ask.

	TokenMasked  Name = "token-masked"
	PhoneMasked  Name = "phone-masked"
	SecretMasked Name = "secret-masked"
	KeysMasked   Name = "keys-masked"
	RoutePattern Name = "route-pattern"
	CrossSite    Name = "cross-site"
	GetActs      Name = "get-acts"
)

// List is every guard, what it keeps, and the test that fails without it.
func List() []Guard {
	return []Guard{
		{AccountLock, "Whoever decides about an account's money decides alone.", "internal/sqldb", "TestWhoDecidesAboutAnAccountDecidesAlone/postgres", ""},
		{Version, "A decision about a row that has changed since it was read is made again.", "internal/sqldb", "TestADecisionIsMadeAgainIfItsRowHasChanged/postgres", ""},
		{OneLive, "A vehicle that has a live payment gets no second one, and the agent is shown the first.", "internal/pay", "TestOneLivePaymentAVehicle/sqlite", ""},
		{VehicleIndex, "A vehicle has one live payment, even if nobody looked.", "internal/sqldb", "TestASecondLivePaymentIsRefusedEvenIfNobodyLooked/sqlite", ""},
		{BalanceIndex, "A client has one live payment of a pending balance.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{Reservation, "What a live payment has counted of past due or credit, no second one counts.", "internal/pay", "TestASecondVehicleLeavesOutWhatTheFirstHasReserved/sqlite", ""},
		{Undecided, "Nobody is asked to pay again while money for the vehicle is there and undecided.", "internal/pay", "TestNobodyIsAskedToPayAgainWhileMoneyForTheVehicleIsUndecided", ""},
		{FormKey, "A form that is sent twice finds the first one's payment.", "internal/pay", "TestASecondClickSendsNothingTwice/sqlite", ""},
		{ReplaceOpen, "A client who starts anew replaces what is open, and nothing that is in flight.", "internal/pay", "TestAClientWhoStartsAnewReplacesNothingInFlight", ""},
		{FormUnique, "A form makes one payment, even if nobody looked.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{IntentFirst, "No text goes out before the PaymentIntent's id is stored.", "internal/pay", "TestALinkThatCanNotBeHandedOverInTimeIsClosed/Stripe_is_down", ""},
		{DoorFirst, "No text goes out before its token is at the door.", "internal/pay", "TestALinkThatCanNotBeHandedOverInTimeIsClosed/Redis_is_down", ""},
		{IntentSame, "A payment that has a PaymentIntent takes no other.", "internal/pay", "TestEveryRowOfTheTable/the_PaymentIntent_is_written_once", ""},
		{IntentOnce, "A payment's PaymentIntent is written once: what is there stays, whoever decided.", "internal/sqldb", "TestThePaymentIntentsIDIsWrittenOnce/sqlite", ""},
		{IntentUnique, "A PaymentIntent belongs to one payment.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{HandOverOnce, "A text is handed to the carrier by one worker, and never once its link is closed.", "internal/pay", "TestATextIsHandedOverOnceAndNeverForAClosedLink/sqlite", ""},
		{HandOverTime, "A link whose text is not with the carrier within a minute is closed.", "internal/pay", "TestALinkThatCanNotBeHandedOverInTimeIsClosed/the_carrier_asks_to_slow_down_for_ever", ""},
		{Validity, "The carrier drops a text before its link ends.", "internal/pay", "TestATextIsHandedOverAndItsDeliveryIsTold/sqlite", ""},
		{OneMoreText, "A text is sent again by itself once at the most (I10).", "internal/pay", "TestALostAnswerIsResolvedAndNotRepeated/down:_once_more,_and_given_up", ""},
		{OptOut, "A number that wants no texts gets none.", "internal/pay", "TestAnOptOutThatOnlyWeKnowIsHonoured/sqlite", ""},
		{TextOnce, "A receipt is texted once, however often it is asked for.", "internal/sqldb", "TestAReceiptThatIsAskedForTwiceAtOnceIsQueuedOnce/sqlite", ""},
		{TextRank, "What the carrier has told of a text never goes back.", "internal/sqldb", "TestWhatTheCarrierHasToldNeverGoesBack/sqlite", ""},
		{Signature, "Cookies and nonces are ours, by their HMAC.", "internal/desk/payer", "TestForgedSessionsAndNoncesAreNobodys", ""},
		{SessionEnd, "A payer's cookie ends.", "internal/desk/payer", "TestForgedSessionsAndNoncesAreNobodys", ""},
		{NonceRefuse, "Only the page of this very link says that it is not for the payer.", "internal/desk/payer", "TestForgedSessionsAndNoncesAreNobodys", ""},
		{NoncePayment, "A nonce pays the payment whose page it is of.", "internal/pay", "TestWhatAPageMayNotCharge", ""},
		{NonceLink, "A nonce pays by the link that was opened last in this browser.", "internal/pay", "TestWhatAPageMayNotCharge", ""},
		{NonceSummary, "A nonce pays the amount that its page showed.", "internal/pay", "TestWhatAPageMayNotCharge", ""},
		{NonceOnce, "The same press again is answered with the same attempt.", "internal/pay", "TestThreeDSecure/sqlite", ""},
		{NonceUnique, "A nonce makes one attempt, even if nobody looked.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{TermsVersion, "Nobody is charged by terms that are not in force.", "internal/pay", "TestWhatAPageMayNotCharge", ""},
		{TermsLock, "Nobody agrees to terms after others were put in force.", "internal/sqldb", "TestTermsWaitForWhoAgreesToTheOnesBefore/postgres", ""},
		{LocationLock, "No payment begins at a location by what was known of it before it was suspended.", "internal/sqldb", "TestNothingBeginsAtALocationThatIsSuspendedMeanwhile/postgres", ""},
		{CardKnown, "A card of which Stripe says nothing is not charged, and the payer is told why.", "internal/pay", "TestOnlyVisaAndMastercardAreTried", ""},
		{CardBrand, "Only Visa and Mastercard are charged.", "internal/pay", "TestOnlyVisaAndMastercardAreTried", ""},
		{SavedBrand, "Only a Visa or Mastercard on file is charged.", "internal/pay", "TestOnlyAVisaOrMastercardOnFileIsCharged", ""},
		{BoughtBrand, "In My Account, too, only Visa and Mastercard are charged.", "internal/pay", "TestAClientPaysByVisaOrMastercardOnly", ""},
		{LiveLink, "A resend ends the old link, and the pages that it opened.", "internal/pay", "TestResend/sqlite", ""},
		{LinkIndex, "A payment has one live link, even if nobody looked.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{MostResends, "A link is resent three times at the most.", "internal/pay", "TestResend/sqlite", ""},
		{ClaimState, "Only an open payment is claimed.", "internal/pay", "TestEveryRowOfTheTable/T3_not_while_unknown", ""},
		{ClaimTime, "A payment whose time is up is not claimed.", "internal/pay", "TestEveryRowOfTheTable/T12_found_by_the_payer", ""},
		{ClaimTimeSQL, "The claim's own UPDATE refuses a payment whose time is up, whoever decided.", "internal/sqldb", "TestAClaimHoldsItsOwnCondition/sqlite", ""},
		{IntentStored, "Nothing is confirmed that has no PaymentIntent on record.", "internal/pay", "TestEveryRowOfTheTable/T3_not_without_a_PaymentIntent", ""},
		{BoundT3, "A quote that no longer holds is not claimed.", "internal/pay", "TestABrokenQuoteIsNotCharged/sqlite", ""},
		{FiveDeclines, "The fifth declined card locks a payment.", "internal/pay", "TestTheFifthDeclineLocks", ""},
		{SavedDeclined, "A declined card on file closes its payment.", "internal/pay", "TestADeclinedCardOnFileClosesItsPayment", ""},
		{MostAttempts, "Fifteen tries of any outcome lock a payment.", "internal/pay", "TestEveryRowOfTheTable/T3_fifteen_tries_lock", ""},
		{WithoutCancel, "A payer who goes away cuts no confirm.", "internal/pay", "TestAPayerWhoGoesAwayLeavesNothingHalfDone", ""},
		{OwnSession, "An attempt is shown to the session that made it, to no other.", "internal/pay", "TestThreeDSecure/sqlite", ""},
		{UnknownState, "A lost answer never means no.", "internal/pay", "TestAWebhookFindsWhatTheAnswerDidNotTell", ""},
		{TraceCard, "A status or an error speaks of an attempt only if it names that attempt's card.", "internal/pay", "TestWhatStripeShowsSpeaksOfTheAttemptThatItNames/another_card's_error", ""},
		{TraceAgain, "An error is no trace if an earlier attempt used the same card.", "internal/pay", "TestWhatStripeShowsSpeaksOfTheAttemptThatItNames/the_same_card_was_tried_before", ""},
		{TraceSince, "What was read before a send says nothing of that send.", "internal/pay", "TestWhatWasReadBeforeASendSaysNothingOfIt", ""},
		{Echo, "What is said of an older attempt changes only that attempt.", "internal/pay", "TestEveryRowOfTheTable/an_older_attempt's_no", ""},
		{DeadAnswer, "A replayed 500 is cancelled and not waited for.", "internal/pay", "TestEveryRowOfTheTable/decision_5:_a_replayed_500", ""},
		{RefusalCopy, "A refusal means no only in answer to the one copy ever sent (T22).", "internal/pay", "TestEveryRowOfTheTable/T22_not_if_a_copy_is_about", ""},
		{RefusalPhase, "A refusal of phase 2 does not open the payment again (T22).", "internal/pay", "TestEveryRowOfTheTable/T22_not_in_phase_2", ""},
		{PhaseBack, "A phase never goes back.", "internal/pay", "TestEveryRowOfTheTable/T7_a_phase_never_goes_back", ""},
		{Phase2Lease, "Phase 2 is sent again only within its lease.", "internal/pay", "TestEveryRowOfTheTable/decision_5:_no_trace_in_phase_2,_lease_over", ""},
		{ActionLease, "3-D Secure that is passed after its lease moves no money.", "internal/pay", "TestEveryRowOfTheTable/T8_not_after_the_lease", ""},
		{SendTime, "Nothing is sent again after the end (I7).", "internal/pay", "TestEveryRowOfTheTable/decision_5:_no_trace,_late", ""},
		{BoundT8, "A quote that breaks in 3-D Secure is not charged.", "internal/pay", "TestAQuoteThatBreaksIn3DSecureIsNotCharged", ""},
		{BoundT4, "Money for a quote that no longer holds is unapplied, not sold.", "internal/pay", "TestEveryRowOfTheTable/T4_the_bound_quote_fails", ""},
		{RevokeFlag, "A revoke while somebody pays is remembered.", "internal/pay", "TestRevokeWhilePaying/9995", ""},
		{ClosingAs, "What a payment closes as is stored before the cancel is sent.", "internal/pay", "TestThreeDSecureAbandonedCloses", ""},
		{CancelFirst, "A payment in flight closes only when the cancel has been answered.", "internal/pay", "TestAChargeThatComesWhileTheCancelIsOnItsWay", ""},
		{CancelDue, "A cancel is repeated until it is answered.", "internal/pay", "TestAProcessKilledBetweenClosingAndCancelling/sqlite", ""},
		{SameAmount, "A charge of another amount waits for a person.", "internal/pay", "TestWhatStripeShowsSpeaksOfTheAttemptThatItNames/another_amount", ""},
		{SameCurrency, "A charge in another currency waits for a person.", "internal/pay", "TestWhatStripeShowsSpeaksOfTheAttemptThatItNames/another_currency", ""},
		{SameAccount, "A charge at another account waits for a person.", "internal/pay", "TestWhatStripeShowsSpeaksOfTheAttemptThatItNames/another_account", ""},
		{EventSigned, "An event that Stripe has not signed is not taken.", "internal/stripepay", "TestEventsAreTakenOnlyAsStripeSignedThem", ""},
		{EventFuture, "An event whose signature is of the future is not taken.", "internal/stripepay", "TestEventsAreTakenOnlyAsStripeSignedThem", ""},
		{EventOnce, "An event of Stripe's is stored once, however often it comes.", "internal/sqldb", "TestAnEventIsStoredOnceAndMakesItsPaymentDue/sqlite", ""},
		{EventAccount, "An event of another account than the payment's is refused, and not stored.", "internal/sqldb", "TestAnEventIsStoredOnceAndMakesItsPaymentDue/sqlite", ""},
		{CallSigned, "A callback or a reply that Twilio has not signed is not taken.", "internal/twiliosms", "TestCallbacksAreTakenOnlyAsTwilioSignedThem", ""},
		{CauseUnique, "A fact is booked once: an entry's cause is unique.", "internal/sqldb", "TestTheDatabaseTakesNoEntryThatDoesNotBalance/sqlite", ""},
		{EntryBalance, "The database takes no entry whose postings do not sum up to nothing.", "internal/sqldb", "TestTheDatabaseTakesNoEntryThatDoesNotBalance/sqlite", ""},
		{AppendOnly, "Nobody changes or removes what is in the books, the trail, the terms or the events.", "internal/sqldb", "TestTheBooksAreOnlyEverAddedTo", ""},
		{PaidToMoved, "A Paid To Date is moved only from where the quote saw it.", "internal/sqldb", "TestADateThatHasMovedIsNotMovedAgain/sqlite", ""},
		{TrailChain, "An entry of the trail vouches for the one before it.", "internal/trail", "TestHashesAreTheOnesThatOthersCompute", ""},
		{LateMoney, "Money that comes after closing is not booked as if nothing were.", "internal/pay", "TestEveryRowOfTheTable/T15_after_expired", ""},
		{LateReason, "Late money is applied only after its time was up; after a revoke it goes back.", "internal/pay", "TestMoneyAfterClosingIsAppliedOrGoesBack/after_a_revoke:_it_goes_back/sqlite", ""},
		{LateBound, "Late money is applied only if its quote still holds.", "internal/pay", "TestMoneyAfterClosingIsAppliedOrGoesBack/the_account_has_moved_on:_it_goes_back", ""},
		{LateAlone, "Late money is applied only if nothing else is in flight on the account.", "internal/pay", "TestMoneyAfterClosingIsAppliedOrGoesBack/another_payment_of_the_account_is_in_flight:_it_goes_back", ""},
		{LateMany, "Above five an hour, a person decides about late money.", "internal/pay", "TestAboveFiveAnHourAPersonDecides", ""},
		{RefundRow, "A refund is written down before it is sent.", "internal/pay", "TestARefundThatWasOnlyWrittenDownIsMade", ""},
		{RefundListed, "No refund is sent before what went back already is known.", "internal/pay", "TestARefundThatWasOnlyWrittenDownIsMade", ""},
		{RefundKey, "Two who send one refund at once make one.", "internal/pay", "TestTwoWhoSendOneRefundMakeOne", ""},
		{RefundMost, "No more is given back than was charged.", "internal/pay", "TestAPartOfAPaymentGoesBackAndMovesNoDate/sqlite", ""},
		{RefundCheck, "No more is given back than was charged, even if nobody looked.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{OneRefund, "A payment has one refund under way.", "internal/pay", "TestARefundIsMadeOnceWhateverBecomesOfItsAnswer/broken_json", ""},
		{RefundIndex, "A payment has one refund that waits, even if nobody looked.", "internal/sqldb", "TestTheDatabaseItselfHoldsTheRules/sqlite", ""},
		{RefundAlone, "Nothing is given back while another payment of the account is in flight.", "internal/pay", "TestNothingIsGivenBackWhileAnotherPaymentOfTheAccountIsInFlight", ""},
		{Reconcile, "After a restore nothing is offered, and a person decides about money.", "internal/pay", "TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel/sqlite", ""},
		{ReconcileClose, "After a restore a payment closes only by an answered cancel.", "internal/pay", "TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel/sqlite", ""},
		{ReconcileSend, "After a restore no link is sent.", "internal/pay", "TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel/sqlite", ""},
		{ReconcilePay, "After a restore no page takes money.", "internal/pay", "TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel/sqlite", Reconcile},
		{ReconcileBuy, "After a restore no client pays in My Account.", "internal/pay", "TestInReconcileOnlyModeNoClientPays", ""},
		{ReconcileCharge, "After a restore no card on file is charged.", "internal/pay", "TestInReconcileOnlyModeNothingIsOfferedAndEverythingClosesByAnAnsweredCancel/sqlite", ""},
		{SetupOwner, "A client keeps the card of their own SetupIntent only.", "internal/web/portal", "TestAClientReachesNoCardOfAnother", ""},
		{CardInUse, "A card that Auto Pay uses is removed only if another takes over.", "internal/web/portal", "TestACardThatAutoPayUsesGoesOnlyIfAnotherTakesOver", ""},
		{CardNumber, "A client has one card of a number on file, even if nobody looked.", "internal/sqldb", "TestOneCardOfANumberIsOnFile/sqlite", ""},
		{TokenMasked, "A token never prints.", "internal/link", "TestATokenNeverPrints", ""},
		{PhoneMasked, "A telephone number prints its last four digits.", "internal/phone", "TestNothingPrintsAWholeNumber", ""},
		{SecretMasked, "A client_secret never prints.", "internal/pay", "TestThreeDSecure/sqlite", ""},
		{KeysMasked, "Keys never print.", "internal/seal", "TestKeysNeverPrint", ""},
		{RoutePattern, "Logs and metrics hold the route's pattern, not the path.", "internal/web", "TestALogNamesTheRouteAndNotThePath", ""},
		{CrossSite, "Another site's page changes nothing here.", "internal/web/plus", "TestAnotherSiteCanDoNothing", ""},
		{GetActs, "A visit changes nothing.", "internal/web/plus", "TestVisitsChangeNothing", ""},
	}
}
