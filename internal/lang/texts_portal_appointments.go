package lang

import (
	"time"

	"paylink/internal/day"
)

// appointmentTexts are the words of appointments in My Account.
var appointmentTexts = []text{
	{"my.appointments", "Appointments", "Citas"},
	{"my.appointments.next", "Coming up", "Próximas"},
	{"my.appointments.next.none", "You have no appointment coming up. To make one, call", "No tiene ninguna cita próxima. Para hacer una, llame al"},
	{"my.appointments.past", "Past", "Anteriores"},
	{"my.appointments.move", "Reschedule", "Cambiar la cita"},
	{"my.appointments.moved", "Your appointment is now on %[1]s.", "Su cita es ahora el %[1]s."},
	{"my.appointments.minutes", "About %[1]d minutes", "Unos %[1]d minutos"},
	{"my.appointments.zone", "Times are those of the location’s clock.", "Las horas son las del reloj del centro."},

	{"my.appointment.service", "Service", "Servicio"},
	{"my.appointment.installation", "Installation", "Instalación"},
	{"my.appointment.removal", "Removal", "Retiro del dispositivo"},
	{"my.appointment.vehicle_swap", "Vehicle swap", "Cambio de vehículo"},
	{"my.appointment.kept", "Kept", "Cumplida"},
	{"my.appointment.missed", "Missed", "Perdida"},
	{"my.appointment.cancelled", "Canceled", "Cancelada"},
	{"my.appointment.booked", "Not recorded yet", "Sin registrar"},

	{"my.appointment.too_late", "It is less than 24 hours away, so it can’t be rescheduled here. Call", "Faltan menos de 24 horas, así que ya no se puede cambiar aquí. Llame al"},
	{"my.appointment.by_phone", "This kind of appointment is rescheduled by phone. Call", "Este tipo de cita se cambia por teléfono. Llame al"},
	{"my.appointment.over", "This appointment is over or was canceled. To make a new one, call", "Esta cita ya pasó o fue cancelada. Para hacer una nueva, llame al"},
	{"my.appointment.closed", "That time can’t be booked. Choose one of the free times below.", "Esa hora no se puede reservar. Elija una de las horas libres de abajo."},
	{"my.appointment.taken", "Somebody else has just taken that time. Your appointment is as it was. Choose another time below.",
		"Otra persona acaba de tomar esa hora. Su cita sigue como estaba. Elija otra hora abajo."},
	{"my.appointment.changed", "Your appointment was changed meanwhile. Look at it below, then choose again if you still want another time.",
		"Su cita fue cambiada mientras tanto. Mírela abajo y elija de nuevo si todavía quiere otra hora."},
	{"my.appointment.no_places", "No time can be booked here just now. Call", "Ahora no se puede reservar ninguna hora aquí. Llame al"},

	{"my.notice.appointment", "Your appointment was rescheduled. It is now on %[5]s.", "Se cambió su cita. Ahora es el %[5]s."},

	{"my.move.title", "Reschedule your appointment", "Cambiar su cita"},
	{"my.move.now", "Your appointment now", "Su cita ahora"},
	{"my.move.location", "Location", "Centro"},
	{"my.move.day", "Day", "Día"},
	{"my.move.show", "Show free times", "Ver horas libres"},
	{"my.move.free", "Free times on %[1]s", "Horas libres el %[1]s"},
	{"my.move.earlier", "Earlier day", "Día anterior"},
	{"my.move.later", "Later day", "Día siguiente"},
	{"my.move.confirm", "Is this right?", "¿Es correcto?"},
	{"my.move.from", "From", "De"},
	{"my.move.to", "To", "A"},
	{"my.move.do", "Yes, reschedule", "Sí, cambiar la cita"},
	{"my.move.back", "Choose another time", "Elegir otra hora"},
	{"my.move.soon", "This is less than 24 hours away: you can’t reschedule it here again.", "Faltan menos de 24 horas: no podrá cambiarla aquí otra vez."},
	{"my.move.keep", "Keep it as it is", "Dejarla como está"},
}

var spanishWeekdays = [...]string{"domingo", "lunes", "martes", "miércoles", "jueves", "viernes", "sábado"}

// Day writes a day with its weekday: "Tuesday, Mar 24, 2026" or "martes, 24 mar 2026".
func (l Lang) Day(d day.Date) string {
	t := d.Time()
	if t.IsZero() {
		return ""
	}
	if l == Spanish {
		return spanishWeekdays[t.Weekday()] + ", " + l.date(t)
	}
	return t.Format("Monday") + ", " + l.date(t)
}

// Meeting writes a moment in its own location for somebody who is to be there: "Tuesday, Mar 24, 2026, 9:30 AM EDT" or "martes, 24 mar 2026, 9:30 a. m. EDT".
func (l Lang) Meeting(t time.Time) string {
	return l.Day(day.Of(t)) + ", " + l.Clock(t) + " " + t.Format("MST")
}
