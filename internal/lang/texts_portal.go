package lang

// portalTexts are the words of My Account.
var portalTexts = []text{
	{"my.home", "Home", "Inicio"},
	{"my.sign_out", "Sign out", "Salir"},
	{"my.rooms", "My Account pages", "Páginas de My Account"},
	{"my.reference", "Reference %[1]s", "Referencia %[1]s"},

	{"my.sign_in", "Sign in", "Entrar"},
	{"my.sign_in.over", "Sign in to go on. You come back to the page that you asked for.", "Entre para continuar. Volverá a la página que pidió."},
	{"my.sign_in.id", "Client id", "Número de cliente"},
	{"my.sign_in.password", "Password", "Contraseña"},
	{"my.sign_in.wrong", "The client id or the password is wrong. Check both and try again.", "El número de cliente o la contraseña no es correcto. Revise los dos e intente de nuevo."},
	{"my.sign_in.too_old", "This temporary password is too old. Ask for a new one below, or call us.", "Esta contraseña temporal ya no vale. Pida una nueva abajo o llámenos."},
	{"my.sign_in.locked", "Too many wrong passwords. Wait 15 minutes, then try again.", "Demasiadas contraseñas incorrectas. Espere 15 minutos e intente de nuevo."},

	{"my.password.title", "Change your password", "Cambiar la contraseña"},
	{"my.password.first", "Choose a new password", "Elija una contraseña nueva"},
	{"my.password.first.text", "The one that we mailed you is a temporary one. Choose one of your own to go on.", "La que le enviamos por correo es temporal. Elija una propia para continuar."},
	{"my.password.old", "Current password", "Contraseña actual"},
	{"my.password.new", "New password", "Contraseña nueva"},
	{"my.password.hint", "12 characters or more. A few words that only you would put together are best.", "12 caracteres o más. Lo mejor son unas palabras que solo usted juntaría."},
	{"my.password.do", "Save the new password", "Guardar la contraseña nueva"},
	{"my.password.wrong", "That is not your current password.", "Esa no es su contraseña actual."},
	{"my.password.short", "That is too short. Use 12 characters or more.", "Es demasiado corta. Use 12 caracteres o más."},
	{"my.password.long", "That is too long. Use 256 characters at the most.", "Es demasiado larga. Use 256 caracteres como máximo."},
	{"my.password.same", "Choose another one: not the password before.", "Elija otra: no la contraseña anterior."},
	{"my.password.common", "That one is among the first that are tried. Choose another one.", "Esa es una de las primeras que se prueban. Elija otra."},
	{"my.password.names", "That one is made of your name, your client id or ours. Choose another one.", "Esa está hecha de su nombre, su número de cliente o el nuestro. Elija otra."},

	{"my.sessions", "Where you are signed in", "Dónde ha entrado"},
	{"my.sessions.text", "End what you don’t know, then change your password. A session ends by itself after half an hour without use. Times are in UTC.",
		"Cierre lo que no conozca y luego cambie su contraseña. Una sesión se cierra sola tras media hora sin uso. Las horas son UTC."},
	{"my.sessions.here", "this browser", "este navegador"},
	{"my.sessions.since", "Since %[1]s", "Desde %[1]s"},
	{"my.sessions.end", "End", "Cerrar"},

	{"my.home.hello", "Hello, %[1]s", "Hola, %[1]s"},
	{"my.home.paid_to", "Paid To Date", "Pagado hasta"},

	{"my.problem.nothing.title", "There is nothing here", "Aquí no hay nada"},
	{"my.problem.nothing.text", "There is no such page in your account. Go back to the start of My Account.", "No hay tal página en su cuenta. Vuelva al inicio de My Account."},
	{"my.problem.slow.title", "We can’t answer just now", "No podemos responder ahora"},
	{"my.problem.slow.text", "Nothing was done. Try again in a moment.", "No se hizo nada. Intente de nuevo en un momento."},
	{"my.problem.odd.title", "That did not work", "Eso no funcionó"},
	{"my.problem.odd.text", "Nothing was done. Go back and try again.", "No se hizo nada. Vuelva atrás e intente de nuevo."},
	{"my.problem.ours.title", "Something went wrong", "Algo salió mal"},
	{"my.problem.ours.text", "It is our fault, not yours. Look at your account before you try again: it shows what was done.", "Es culpa nuestra, no suya. Mire su cuenta antes de intentar de nuevo: muestra lo que se hizo."},
}
