package stripesim

func (a *account) render() object {
	return object{"id": a.id, "object": "account", "business_profile": object{"mcc": nil, "name": "Simulated account", "product_description": nil,
		"support_address": nil, "support_email": nil, "support_phone": nil, "support_url": nil, "url": nil}, "business_type": nil,
		"capabilities": object{"card_payments": "active", "transfers": "active"}, "charges_enabled": true, "country": "US", "default_currency": "usd",
		"details_submitted": true, "email": nil, "metadata": object{}, "payouts_enabled": true,
		"settings": object{"branding": object{"icon": nil, "logo": nil, "primary_color": nil, "secondary_color": nil},
			"card_payments": object{"decline_on": object{"avs_failure": false, "cvc_failure": false}, "statement_descriptor_prefix": "SIMULATED",
				"statement_descriptor_prefix_kana": nil, "statement_descriptor_prefix_kanji": nil},
			"dashboard": object{"display_name": "Simulated account", "timezone": "Etc/UTC"},
			"payments":  object{"statement_descriptor": "SIMULATED", "statement_descriptor_kana": nil, "statement_descriptor_kanji": nil}},
		"type": "standard"}
}

var accountOperations = []operation{
	{pattern: "GET /v1/account", fault: "retrieve", noun: "account", run: func(c *call) (object, *apiError) { return c.account.render(), nil }},
	{pattern: "GET /v1/accounts/{id}", fault: "retrieve", noun: "account", run: func(c *call) (object, *apiError) {
		a, ok := c.server.accounts[c.id]
		if !ok {
			return nil, c.server.accountInvalid(c.id)
		}
		return a.render(), nil
	}},
}
