package lang

// doorTexts are the words of My Account for getting in: a forgotten password, and passkeys.
var doorTexts = []text{
	{"my.forgot", "Forgot your password?", "¿Olvidó su contraseña?"},
	{"my.forgot.text", "Enter your client id. We mail you a link to choose a new password.", "Escriba su número de cliente. Le enviaremos por correo un enlace para elegir una contraseña nueva."},
	{"my.forgot.do", "Mail me a link", "Enviarme un enlace"},
	{"my.forgot.none", "Enter your client id.", "Escriba su número de cliente."},
	{"my.forgot.locked", "Too many tries. Wait 15 minutes, then try again, or call us.", "Demasiados intentos. Espere 15 minutos e intente de nuevo, o llámenos."},
	{"my.forgot.sent", "Check your mail", "Revise su correo"},
	{"my.forgot.sent.text", "If this client id has access to My Account, a mail with a link is on its way to the address that we have. The link is good for 30 minutes.",
		"Si este número de cliente tiene acceso a My Account, va en camino un correo con un enlace a la dirección que tenemos. El enlace vale 30 minutos."},
	{"my.forgot.sent.none", "Nothing arrives? Look among unwanted mail, then ask again. If you were never invited to My Account, or your address has changed, call us.",
		"¿No llega nada? Búsquelo en el correo no deseado y pida otro. Si nunca le invitamos a My Account o cambió su dirección, llámenos."},
	{"my.forgot.again", "Ask for another link", "Pedir otro enlace"},
	{"my.forgot.back", "Back to sign in", "Volver a entrar"},

	{"my.reset", "Choose a new password", "Elija una contraseña nueva"},
	{"my.reset.text", "This ends every session: wherever else you are signed in, you are signed out.", "Esto cierra todas las sesiones: dondequiera que haya entrado, se cerrará."},
	{"my.reset.code", "Code from the mail", "Código del correo"},
	{"my.reset.code.hint", "It is the end of the address in the mail, after the # sign.", "Es el final de la dirección en el correo, después del signo #."},
	{"my.reset.code.none", "Enter the code, or open the link in the mail.", "Escriba el código o abra el enlace del correo."},
	{"my.reset.dead", "This link is not good any more", "Este enlace ya no vale"},
	{"my.reset.dead.text", "A link is good for 30 minutes and for one time, and a newer one replaces it. Your password was not changed.",
		"Un enlace vale 30 minutos y una sola vez, y uno más nuevo lo reemplaza. Su contraseña no cambió."},
}
