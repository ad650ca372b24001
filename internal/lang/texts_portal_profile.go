package lang

// profileTexts are the words of the profile in My Account.
var profileTexts = []text{
	{"my.profile", "Profile", "Perfil"},
	{"my.profile.you", "About you", "Sus datos"},
	{"my.profile.name", "Name", "Nombre"},
	{"my.profile.id", "Client id", "Número de cliente"},
	{"my.profile.name.call", "Name wrong or changed? Call", "¿El nombre está mal o cambió? Llame al"},
	{"my.profile.contact", "How we reach you", "Cómo lo contactamos"},
	{"my.profile.mail", "Email address", "Correo electrónico"},
	{"my.profile.phone", "Mobile phone", "Teléfono móvil"},
	{"my.profile.none", "None", "Ninguno"},
	{"my.profile.language", "Language", "Idioma"},
	{"my.profile.language.text", "Pages, texts and mail are in English.", "Las páginas, los mensajes de texto y los correos están en español."},
	{"my.profile.vehicles", "Vehicles", "Vehículos"},
	{"my.profile.plate", "License plate", "Placa"},
	{"my.profile.vehicles.call", "Another vehicle? We move the device for you. Call", "¿Otro vehículo? Nosotros le cambiamos el dispositivo. Llame al"},
	{"my.profile.sign_in", "Signing in", "Cómo entra"},
	{"my.profile.saved.language", "From now on we speak English.", "Desde ahora hablamos español."},
}
