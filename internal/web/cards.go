package web

import "paylink/internal/lang"

// CardTexts are the words that card.js says by itself, and the pages on which a card is entered. %s is theirs to fill.
func CardTexts(l lang.Lang) map[string]string {
	return map[string]string{
		"brandRefused":     l.T("card.brand_refused", "%s"),
		"otherBrand":       l.T("card.other_brand"),
		"zipWrong":         l.T("card.zip_wrong"),
		"missing":          l.T("pay.missing", "%s"),
		"missingNumber":    l.T("pay.missing_number"),
		"missingExpiry":    l.T("pay.missing_expiry"),
		"missingCode":      l.T("pay.missing_code"),
		"missingZip":       l.T("pay.missing_zip"),
		"missingTerms":     l.T("pay.missing_terms"),
		"ready":            l.T("pay.ready"),
		"brand_visa":       "Visa",
		"brand_mastercard": "Mastercard",
		"brand_amex":       "American Express",
		"brand_discover":   "Discover",
		"brand_diners":     "Diners Club",
		"brand_jcb":        "JCB",
		"brand_unionpay":   "UnionPay",
	}
}
