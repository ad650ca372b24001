package lang

// text is one thing to say, in every language. Arguments are written %[1]s and so on, so that a language may order them as it likes.
type text struct {
	key    string
	en, es any // string, or forms where the first argument is a count
}

// forms are the words for one and for every other count.
type forms struct{ one, other string }

// texts is the catalogue, in the order in which a payer meets it.
//
// Spanish is formal, for readers in the United States. Texts to a phone (sms.) keep to GSM-7: é is in that alphabet, á í ó ú are not,
// and one of them would cut the text into parts of 70 characters.
var texts = []text{
	// Texts to a phone: brand, address, support phone, minutes; brand, amount, date, last four digits, reference, support phone.
	{"sms.link", "%[1]s: pay securely, link good %[4]d min: %[2]s Help %[3]s. STOP to opt out",
		"%[1]s: pago seguro, enlace vale %[4]d min: %[2]s Ayuda %[3]s. STOP para cancelar"},
	{"sms.receipt", "%[1]s: payment received. %[2]s, %[3]s, card ending %[4]s. Ref %[5]s. Help %[6]s. STOP to opt out",
		"%[1]s: pago recibido. %[2]s, %[3]s, tarjeta %[4]s. Ref %[5]s. Ayuda %[6]s. STOP para cancelar"},

	// Answers to a reply: brand, support phone.
	{"sms.help", "%[1]s payment links: for help call %[2]s. Msg & data rates may apply. Reply STOP to opt out",
		"%[1]s, enlaces de pago: para ayuda llame al %[2]s. Pueden aplicar tarifas de mensajes y datos. Responda STOP para cancelar"},
	{"sms.stopped", "%[1]s: you will get no more texts from us. Reply START to get them again. Help %[2]s",
		"%[1]s: ya no recibe mensajes nuestros. Responda START para recibirlos de nuevo. Ayuda %[2]s"},

	// Around every page
	{"page.skip", "Skip to content", "Saltar al contenido"},
	{"page.secure_payment", "Secure payment", "Pago seguro"},
	{"page.questions", "Questions? Call", "¿Preguntas? Llame al"},
	{"page.reference", "Reference %[1]s", "Referencia %[1]s"},
	{"page.call", "Call", "Llamar al"},
	{"page.close", "Close", "Cerrar"},
	{"page.try_again", "Try again", "Intentar de nuevo"},

	// Landing: what the text's link opens, for a moment
	{"landing.opening", "Opening your secure payment page…", "Abriendo su página de pago seguro…"},
	{"landing.dead.title", "This link does not work", "Este enlace no funciona"},
	{"landing.dead.text", "It may be incomplete or no longer valid. No payment was taken by opening it. Tap the newest link that we texted you, or call us.",
		"Puede estar incompleto o ya no ser válido. Al abrirlo no se hizo ningún cobro. Toque el enlace más reciente que le enviamos o llámenos."},
	{"landing.wait.title", "Please wait a minute", "Espere un minuto, por favor"},
	{"landing.wait.text", "There were many tries from your connection. Nothing is wrong with your link. Wait a minute, then try again.",
		"Hubo muchos intentos desde su conexión. Su enlace está bien. Espere un minuto e intente de nuevo."},
	{"landing.offline.title", "We could not connect", "No pudimos conectarnos"},
	{"landing.offline.text", "Your link has not been used. Check your connection, then try again.",
		"Su enlace no se ha usado. Revise su conexión e intente de nuevo."},
	{"landing.empty.title", "Open the link from your text message", "Abra el enlace de su mensaje de texto"},
	{"landing.empty.text", "This address is missing its last part. Go back to the text message and tap the whole link.",
		"A esta dirección le falta la parte final. Vuelva al mensaje de texto y toque el enlace completo."},
	{"landing.noscript", "Your browser does not run JavaScript, which the secure card form needs. Nothing was charged. Please call us to pay.",
		"Su navegador no ejecuta JavaScript, necesario para el formulario seguro de la tarjeta. No se hizo ningún cobro. Llámenos para pagar."},

	// The payer's page: what is paid
	{"pay.title", "Pay %[1]s", "Pagar %[1]s"},
	{"pay.total", "Total due", "Total a pagar"},
	{"pay.days_monitoring", forms{"%[1]d day of monitoring", "%[1]d days of monitoring"}, forms{"%[1]d día de monitoreo", "%[1]d días de monitoreo"}},
	{"pay.days_service", forms{"%[1]d day of service", "%[1]d days of service"}, forms{"%[1]d día de servicio", "%[1]d días de servicio"}},
	{"pay.paid_to", "Paid to", "Pagado hasta el"},
	{"pay.time_left", "%[1]s left to pay", "Quedan %[1]s para pagar"},
	{"pay.minutes_left", forms{"%[1]d minute left to pay", "%[1]d minutes left to pay"}, forms{"Queda %[1]d minuto para pagar", "Quedan %[1]d minutos para pagar"}},
	{"pay.seconds_left", forms{"%[1]d second left to pay", "%[1]d seconds left to pay"}, forms{"Queda %[1]d segundo para pagar", "Quedan %[1]d segundos para pagar"}},
	{"pay.time_why", "For your safety the link works for %[1]d minutes after it is sent. If time runs out, call us for a new one.",
		"Por su seguridad, el enlace funciona durante %[1]d minutos desde que se envía. Si se acaba el tiempo, llámenos y le enviamos otro."},
	{"pay.summary", "Payment Summary", "Resumen del pago"},
	{"pay.total_due", "Total Due Amount", "Monto total a pagar"},

	// The summary's lines: as the client reads them, and as anybody else may
	{"line.monitoring", forms{"Monitoring, %[1]d day × %[2]s", "Monitoring, %[1]d days × %[2]s"}, forms{"Monitoreo, %[1]d día × %[2]s", "Monitoreo, %[1]d días × %[2]s"}},
	{"line.unpaid_days", forms{"Unpaid monitoring, %[1]d day × %[2]s", "Unpaid monitoring, %[1]d days × %[2]s"},
		forms{"Monitoreo sin pagar, %[1]d día × %[2]s", "Monitoreo sin pagar, %[1]d días × %[2]s"}},
	{"line.loss_protection", forms{"Loss protection, %[1]d day × %[2]s", "Loss protection, %[1]d days × %[2]s"},
		forms{"Protección contra pérdida, %[1]d día × %[2]s", "Protección contra pérdida, %[1]d días × %[2]s"}},
	{"line.hardship", "Hardship program", "Programa de ayuda económica"},
	{"line.state_fee", "State fee", "Cargo estatal"},
	{"line.cap_adjustment", "Adjustment to the state’s limit", "Ajuste al límite estatal"},
	{"line.tax", "Tax %[1]s", "Impuesto %[1]s"},
	{"line.past_due", "Past due", "Saldo vencido"},
	{"line.credit", "Account credit", "Crédito de la cuenta"},
	{"line.discreet.monitoring", forms{"Service, %[1]d day × %[2]s", "Service, %[1]d days × %[2]s"}, forms{"Servicio, %[1]d día × %[2]s", "Servicio, %[1]d días × %[2]s"}},
	{"line.discreet.unpaid_days", forms{"Service to date, %[1]d day × %[2]s", "Service to date, %[1]d days × %[2]s"},
		forms{"Servicio hasta hoy, %[1]d día × %[2]s", "Servicio hasta hoy, %[1]d días × %[2]s"}},
	{"line.discreet.loss_protection", forms{"Protection, %[1]d day × %[2]s", "Protection, %[1]d days × %[2]s"}, forms{"Protección, %[1]d día × %[2]s", "Protección, %[1]d días × %[2]s"}},
	{"line.discreet.hardship", "Discount", "Descuento"},
	{"line.discreet.state_fee", "Fee", "Cargo"},
	{"line.discreet.cap_adjustment", "Adjustment", "Ajuste"},
	{"line.discreet.past_due", "Other charges", "Otros cargos"},
	{"line.discreet.credit", "Credit", "Crédito"},

	// The card
	{"card.title", "Card", "Tarjeta"},
	{"card.brands", "Visa or Mastercard, credit, debit or prepaid", "Visa o Mastercard, de crédito, débito o prepago"},
	{"card.number", "Card number", "Número de tarjeta"},
	{"card.expiry", "Expiration date", "Fecha de vencimiento"},
	{"card.code", "Security code", "Código de seguridad"},
	{"card.zip", "ZIP code", "Código postal"},
	{"card.zip_hint", "The ZIP code is that of the card’s billing address.", "El código postal es el de la dirección de facturación de la tarjeta."},
	{"card.zip_wrong", "Enter a ZIP code of 5 digits, such as 23219.", "Escriba un código postal de 5 dígitos, por ejemplo 23219."},
	{"card.brand_refused", "%[1]s is not accepted here. Please use a Visa or Mastercard.", "Aquí no se acepta %[1]s. Use una tarjeta Visa o Mastercard."},
	{"card.other_brand", "This kind of card", "este tipo de tarjeta"},
	{"card.blocked", "The secure card form could not load, so you cannot pay on this page yet. Nothing was charged. Turn off any content blocker and reload, or call us to pay.",
		"El formulario seguro de la tarjeta no se pudo cargar, así que todavía no puede pagar en esta página. No se hizo ningún cobro. Desactive los bloqueadores de contenido y recargue la página, o llámenos para pagar."},
	{"card.reload", "Reload the page", "Recargar la página"},
	{"card.unreachable", "We could not reach the card service. Nothing was charged. Check your connection and try again.",
		"No pudimos comunicarnos con el servicio de tarjetas. No se hizo ningún cobro. Revise su conexión e intente de nuevo."},

	// The promise and the button. [ and ] hold the link to the terms.
	{"pay.agree", "I agree to the [payment terms] and authorize %[1]s to charge %[2]s to this card one time.",
		"Acepto los [términos de pago] y autorizo a %[1]s a cobrar %[2]s a esta tarjeta una sola vez."},
	{"pay.button", "Make Payment · %[1]s", "Realizar pago · %[1]s"},
	{"pay.working", "Sending your payment…", "Enviando su pago…"},
	{"pay.bank_asks", "Your bank is asking you to confirm. Follow its steps here.", "Su banco le pide confirmar. Siga sus pasos aquí."},
	{"pay.once", "We use this card once and do not keep it.", "Usamos esta tarjeta una sola vez y no la guardamos."},
	{"pay.missing", "Still needed: %[1]s.", "Falta: %[1]s."},
	{"pay.missing_number", "card number", "número de tarjeta"},
	{"pay.missing_expiry", "expiration date", "fecha de vencimiento"},
	{"pay.missing_code", "security code", "código de seguridad"},
	{"pay.missing_zip", "ZIP code", "código postal"},
	{"pay.missing_terms", "your agreement to the terms", "aceptar los términos"},
	{"pay.ready", "Everything is filled in.", "Todo está completo."},
	{"pay.offline", "You are offline. Nothing is sent until you are connected again.", "No tiene conexión. No se envía nada hasta que vuelva a conectarse."},
	{"pay.online", "You are connected again.", "Ya tiene conexión de nuevo."},
	{"pay.noscript", "Your browser does not run JavaScript, which the secure card form needs. Nothing was charged. Please call us to pay.",
		"Su navegador no ejecuta JavaScript, necesario para el formulario seguro de la tarjeta. No se hizo ningún cobro. Llámenos para pagar."},
	{"pay.over_offline", "The time to pay has run out and we could not reach our server. Call us before you try again.",
		"Se acabó el tiempo para pagar y no pudimos comunicarnos con nuestro servidor. Llámenos antes de intentar de nuevo."},

	// Not for me
	{"notmine.button", "Not for me", "No es para mí"},
	{"notmine.title", "Is this link not for you?", "¿Este enlace no es para usted?"},
	{"notmine.text", "We will close this link so that nobody can pay with it. Nothing is charged.", "Cerraremos este enlace para que nadie pueda pagar con él. No se hace ningún cobro."},
	{"notmine.confirm", "Close this link", "Cerrar este enlace"},
	{"notmine.keep", "Keep it open", "Dejarlo abierto"},

	// What the till answers
	{"answer.paid", "Payment received. Thank you.", "Pago recibido. Gracias."},
	{"answer.needs_action", "Your bank is asking you to confirm this payment.", "Su banco le pide confirmar este pago."},
	{"answer.unknown", "We are checking with the bank. Do not pay again.", "Estamos verificando con el banco. No vuelva a pagar."},
	{"answer.paying", "This payment is being made on another device or page. Do not pay again.", "Este pago se está haciendo en otro dispositivo o en otra página. No vuelva a pagar."},
	{"answer.open", "Nothing was charged. You can pay now.", "No se hizo ningún cobro. Ya puede pagar."},
	{"answer.closed", "This link can no longer be used to pay. Nothing was charged by this try.", "Este enlace ya no sirve para pagar. Con este intento no se hizo ningún cobro."},
	{"answer.terms", "The payment terms have changed. Nothing was charged. Please read and agree to them again.", "Los términos de pago cambiaron. No se hizo ningún cobro. Léalos y acéptelos de nuevo, por favor."},
	{"answer.other_link", "Another payment link was opened in this browser. Nothing was charged. Check the new one before you pay.",
		"Se abrió otro enlace de pago en este navegador. No se hizo ningún cobro. Revise el nuevo antes de pagar."},
	{"answer.other_link_show", "Show the other payment", "Ver el otro pago"},
	{"answer.brand", "Only Visa and Mastercard are accepted here. Nothing was charged. Please use another card.", "Aquí solo se aceptan Visa y Mastercard. No se hizo ningún cobro. Use otra tarjeta, por favor."},
	{"answer.card", "This card could not be used as it was entered. Nothing was charged. Please enter it again or use another card.", "Esta tarjeta no se pudo usar como se escribió. No se hizo ningún cobro. Escríbala de nuevo o use otra tarjeta."},
	{"answer.not_ready", "We cannot take a payment at this moment. Nothing was charged. Try again in a minute, or call us.", "En este momento no podemos recibir pagos. No se hizo ningún cobro. Intente de nuevo en un minuto o llámenos."},
	{"answer.slow_down", "Too many tries in a short time. Nothing was charged. Wait a minute, then try again.", "Demasiados intentos en poco tiempo. No se hizo ningún cobro. Espere un minuto e intente de nuevo."},
	{"answer.bad_request", "We could not read that. Nothing was charged. Reload the page and try again.", "No pudimos leer la solicitud. No se hizo ningún cobro. Recargue la página e intente de nuevo."},
	{"answer.session", "This page is no longer signed in. Nothing was charged by this try. Tap the link in your text message again.",
		"La sesión de esta página terminó. Con este intento no se hizo ningún cobro. Toque de nuevo el enlace de su mensaje de texto."},
	{"answer.paused", "Payments by link are paused. Nothing was charged by this try. Please call us.", "Los pagos por enlace están en pausa. Con este intento no se hizo ningún cobro. Llámenos, por favor."},
	{"answer.dead", "This link does not work.", "Este enlace no funciona."},
	{"answer.tries_left", forms{"You can try %[1]d more card.", "You can try %[1]d more times."}, forms{"Puede probar %[1]d tarjeta más.", "Puede intentarlo %[1]d veces más."}},

	// Why a bank said no: what happened and what helps. A lost, stolen or suspected card is never named so to whoever holds it.
	{"decline.insufficient_funds", "The card does not have enough available funds. Nothing was charged. Try another card.", "La tarjeta no tiene fondos suficientes. No se hizo ningún cobro. Pruebe con otra tarjeta."},
	{"decline.lost_card", "Your bank refused this card. Nothing was charged. Try another card or call your bank.", "Su banco rechazó esta tarjeta. No se hizo ningún cobro. Pruebe con otra tarjeta o llame a su banco."},
	{"decline.stolen_card", "Your bank refused this card. Nothing was charged. Try another card or call your bank.", "Su banco rechazó esta tarjeta. No se hizo ningún cobro. Pruebe con otra tarjeta o llame a su banco."},
	{"decline.fraudulent", "Your bank refused this card. Nothing was charged. Try another card or call your bank.", "Su banco rechazó esta tarjeta. No se hizo ningún cobro. Pruebe con otra tarjeta o llame a su banco."},
	{"decline.expired_card", "This card has expired. Nothing was charged. Check the date or try another card.", "Esta tarjeta está vencida. No se hizo ningún cobro. Revise la fecha o pruebe con otra tarjeta."},
	{"decline.incorrect_cvc", "The security code does not match the card. Nothing was charged. Enter the card again and check the code.", "El código de seguridad no coincide con la tarjeta. No se hizo ningún cobro. Escriba la tarjeta de nuevo y revise el código."},
	{"decline.incorrect_number", "The card number is not right. Nothing was charged. Enter the card again.", "El número de tarjeta no es correcto. No se hizo ningún cobro. Escriba la tarjeta de nuevo."},
	{"decline.incorrect_zip", "The ZIP code does not match the card. Nothing was charged. Check the ZIP code and enter the card again.", "El código postal no coincide con la tarjeta. No se hizo ningún cobro. Revise el código postal y escriba la tarjeta de nuevo."},
	{"decline.processing_error", "The bank could not process the card just now. Nothing was charged. Try again in a moment or use another card.", "El banco no pudo procesar la tarjeta en este momento. No se hizo ningún cobro. Intente de nuevo en un momento o use otra tarjeta."},
	{"decline.authentication_failed", "Your bank could not confirm that it is you. Nothing was charged. Try again or use another card.", "Su banco no pudo confirmar su identidad. No se hizo ningún cobro. Intente de nuevo o use otra tarjeta."},
	{"decline.card_not_supported", "This card does not allow this kind of payment. Nothing was charged. Try another card.", "Esta tarjeta no permite este tipo de pago. No se hizo ningún cobro. Pruebe con otra tarjeta."},
	{"decline.limit_exceeded", "This payment goes over the card’s limit. Nothing was charged. Try another card or call your bank.", "Este pago supera el límite de la tarjeta. No se hizo ningún cobro. Pruebe con otra tarjeta o llame a su banco."},
	{"decline.generic", "Your bank declined this card. Nothing was charged. Try another card or call your bank.", "Su banco rechazó esta tarjeta. No se hizo ningún cobro. Pruebe con otra tarjeta o llame a su banco."},

	// Receipt
	{"receipt.title", "Payment received", "Pago recibido"},
	{"receipt.thanks", "Thank you. Your payment went through.", "Gracias. Su pago se realizó."},
	{"receipt.amount", "Amount paid", "Monto pagado"},
	{"receipt.when", "Date and time", "Fecha y hora"},
	{"receipt.card", "Card", "Tarjeta"},
	{"receipt.card_ending", "%[1]s ending in %[2]s", "%[1]s terminada en %[2]s"},
	{"receipt.paid_to", "Paid To Date", "Pagado hasta el"},
	{"receipt.reference", "Reference", "Referencia"},
	{"receipt.back", "Sent back to the card", "Devuelto a la tarjeta"},
	{"receipt.back_part", "Of this payment, %[1]s was sent back to the card that paid. It usually takes 5 to 10 business days to show.",
		"De este pago se devolvieron %[1]s a la tarjeta con la que se pagó. Suele tardar de 5 a 10 días hábiles en aparecer."},
	{"receipt.back_whole", "This payment was refunded: all of it, %[1]s, was sent back to the card that paid. It usually takes 5 to 10 business days to show.",
		"Este pago se reembolsó: se devolvió completo, %[1]s, a la tarjeta con la que se pagó. Suele tardar de 5 a 10 días hábiles en aparecer."},
	{"receipt.text_me", "Text me this receipt", "Enviarme este recibo por mensaje"},
	{"receipt.texted", "The receipt is on its way to the phone that got the link.", "El recibo va en camino al teléfono que recibió el enlace."},
	{"receipt.print", "Print", "Imprimir"},
	{"receipt.keep", "You can close this page. A copy is kept with the account.", "Puede cerrar esta página. Se guarda una copia con la cuenta."},
	{"receipt.not_kept", "Your card was charged one time and is not kept.", "Se cobró a su tarjeta una sola vez y no la guardamos."},

	// Pages that end: what happened, whether money was taken, what to do
	{"state.what_to_do", "What to do", "Qué hacer"},

	{"state.used.title", "This payment has already been made", "Este pago ya se hizo"},
	{"state.used.money", "It was paid once, on another device or page. Nothing more is due on this link.", "Se pagó una sola vez, en otro dispositivo o en otra página. Este enlace no tiene nada más por pagar."},
	{"state.used.do", "You do not need to do anything. For a receipt, call us.", "No necesita hacer nada. Si desea un recibo, llámenos."},

	{"state.elsewhere.title", "This payment is being made right now", "Este pago se está haciendo en este momento"},
	{"state.elsewhere.money", "Somebody is paying it on another device or page. Do not pay again.", "Alguien lo está pagando en otro dispositivo o en otra página. No vuelva a pagar."},
	{"state.elsewhere.do", "Finish it where it was started. This page updates by itself.", "Termínelo donde se empezó. Esta página se actualiza sola."},

	{"state.checking.title", "We are checking with the bank", "Estamos verificando con el banco"},
	{"state.checking.money", "Do not pay again. If the bank has taken the payment, you will see a receipt here.", "No vuelva a pagar. Si el banco aceptó el pago, aquí verá un recibo."},
	{"state.checking.do", "Keep this page open. It updates by itself, usually within a minute.", "Deje esta página abierta. Se actualiza sola, normalmente en menos de un minuto."},

	{"state.expired.title", "This link has expired", "Este enlace venció"},
	{"state.expired.money", "No payment was taken.", "No se hizo ningún cobro."},
	{"state.expired.do", "Call us and we will text you a new link.", "Llámenos y le enviaremos un enlace nuevo por mensaje de texto."},

	{"state.cancelled.title", "This link was cancelled", "Este enlace se canceló"},
	{"state.cancelled.money", "No payment was taken.", "No se hizo ningún cobro."},
	{"state.cancelled.do", "If you still want to pay, call us for a new link.", "Si todavía desea pagar, llámenos y le enviaremos un enlace nuevo."},

	{"state.replaced.title", "There is a newer link", "Hay un enlace más reciente"},
	{"state.replaced.money", "No payment was taken with this one.", "Con este no se hizo ningún cobro."},
	{"state.replaced.do", "Tap the link in the newest text message from us.", "Toque el enlace del mensaje de texto más reciente que le enviamos."},

	{"state.superseded.title", "The amount has changed", "El monto cambió"},
	{"state.superseded.money", "Something on the account changed after this link was sent, so we closed it. No payment was taken.",
		"Algo cambió en la cuenta después de enviar este enlace, por eso lo cerramos. No se hizo ningún cobro."},
	{"state.superseded.do", "Call us and we will text you a link with the right amount.", "Llámenos y le enviaremos un enlace con el monto correcto."},

	{"state.locked.title", "This link is locked", "Este enlace está bloqueado"},
	{"state.locked.money", "The bank declined five tries, so for your safety we stopped. No payment was taken.", "El banco rechazó cinco intentos, así que por su seguridad nos detuvimos. No se hizo ningún cobro."},
	{"state.locked.do", "Call your bank about the card, or call us about another way to pay.", "Llame a su banco para preguntar por la tarjeta o llámenos para ver otra forma de pagar."},

	{"state.session.title", "Open the link from your text message", "Abra el enlace de su mensaje de texto"},
	{"state.session.money", "This browser has no open payment link, so there is nothing to show. Nothing was charged by opening this page.",
		"Este navegador no tiene ningún enlace de pago abierto, así que no hay nada que mostrar. Al abrir esta página no se hizo ningún cobro."},
	{"state.session.do", "Tap the link in your newest text message from us. If you have just paid, call us before you pay again.",
		"Toque el enlace del mensaje de texto más reciente que le enviamos. Si acaba de pagar, llámenos antes de volver a pagar."},

	{"state.dead.title", "This link does not work", "Este enlace no funciona"},
	{"state.dead.money", "It may be incomplete or no longer valid. No payment was taken by opening it.", "Puede estar incompleto o ya no ser válido. Al abrirlo no se hizo ningún cobro."},
	{"state.dead.do", "Tap the newest link that we texted you, or call us.", "Toque el enlace más reciente que le enviamos o llámenos."},

	{"state.notmine.title", "Thank you. The link is closed.", "Gracias. El enlace está cerrado."},
	{"state.notmine.money", "Nobody can pay with it, and no payment was taken.", "Nadie puede pagar con él y no se hizo ningún cobro."},
	{"state.notmine.do", "You do not need to do anything. To get no more texts from us, reply STOP.", "No necesita hacer nada. Si no desea recibir más mensajes nuestros, responda STOP."},

	{"state.late.title", "Your payment came after the link had closed", "Su pago llegó cuando el enlace ya estaba cerrado"},
	{"state.late.money", "We have it, and it is safe. Do not pay again.", "Lo tenemos y está seguro. No vuelva a pagar."},
	{"state.late.do", "We will put it on the account or send it back in full. Call us if you want to know more.", "Lo abonaremos a la cuenta o lo devolveremos completo. Llámenos si desea saber más."},

	{"state.refund.title", "This payment was refunded", "Este pago se reembolsó"},
	{"state.refund.money", "All of it, %[1]s, was sent back to the card that paid. It usually takes 5 to 10 business days to show.",
		"Se devolvió completo, %[1]s, a la tarjeta con la que se pagó. Suele tardar de 5 a 10 días hábiles en aparecer."},
	{"state.refund.do", "To pay now, call us for a new link.", "Si desea pagar ahora, llámenos y le enviaremos un enlace nuevo."},

	{"state.review.title", "We are looking into this payment", "Estamos revisando este pago"},
	{"state.review.money", "A person is checking it with the bank. Do not pay again.", "Una persona lo está verificando con el banco. No vuelva a pagar."},
	{"state.review.do", "Call us and give the reference below.", "Llámenos e indique la referencia que aparece abajo."},

	{"state.paused.title", "Payments by link are paused", "Los pagos por enlace están en pausa"},
	{"state.paused.money", "You cannot pay on this page right now, and nothing was charged by opening it. If you have already paid, do not pay again: we are checking every payment with the bank.",
		"En este momento no puede pagar en esta página y al abrirla no se hizo ningún cobro. Si ya pagó, no vuelva a pagar: estamos verificando cada pago con el banco."},
	{"state.paused.do", "Call us and give the reference below.", "Llámenos e indique la referencia que aparece abajo."},

	{"state.slow_down.title", "Please wait a minute", "Espere un minuto, por favor"},
	{"state.slow_down.money", "There were too many tries in a short time. Nothing was charged by this one.", "Hubo demasiados intentos en poco tiempo. Con este no se hizo ningún cobro."},
	{"state.slow_down.do", "Wait a minute, then load the page again.", "Espere un minuto y vuelva a cargar la página."},

	{"state.not_found.title", "There is no page here", "Aquí no hay ninguna página"},
	{"state.not_found.money", "Nothing was charged.", "No se hizo ningún cobro."},
	{"state.not_found.do", "Tap the link in your text message, or call us.", "Toque el enlace de su mensaje de texto o llámenos."},

	{"state.error.title", "Something went wrong on our side", "Algo falló de nuestro lado"},
	{"state.error.money", "If you had already pressed Make Payment, do not pay again before you have checked with us.", "Si ya había presionado Realizar pago, no vuelva a pagar antes de consultarnos."},
	{"state.error.do", "Load the page again in a moment, or call us and give the reference below.", "Vuelva a cargar la página en un momento, o llámenos e indique la referencia que aparece abajo."},
}
