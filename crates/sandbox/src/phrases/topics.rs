//! Ten matters that people ask about: the question, the words that give it away, the answer.

/// One matter in both languages.
pub(super) struct Topic {
    pub(super) question_en: &'static str,
    pub(super) question_es: &'static str,
    /// Lower-case words that tell this topic from the others.
    pub(super) words_en: &'static [&'static str],
    pub(super) words_es: &'static [&'static str],
    pub(super) answer_en: &'static str,
    pub(super) answer_es: &'static str,
}

pub(super) const TOPICS: [Topic; 10] = [
    Topic {
        question_en: "What are your opening hours?",
        question_es: "¿Qué horario tienen?",
        words_en: &["hours", "open", "opening", "close", "closing"],
        words_es: &["horario", "abren", "cierran", "abierto", "abierta"],
        answer_en: "We are open Monday to Friday from 9 am to 6 pm, and Saturday until 2 pm.",
        answer_es: "Abrimos de lunes a viernes de 9 a 18 h, y los sábados hasta las 14 h.",
    },
    Topic {
        question_en: "How much does it cost?",
        question_es: "¿Cuánto cuesta?",
        words_en: &["cost", "costs", "price", "prices", "much", "fee"],
        words_es: &["cuesta", "cuestan", "precio", "precios", "vale", "tarifa"],
        answer_en: "It starts at 29 dollars a month, with no set-up fee. Shall I send the details?",
        answer_es: "Desde 29 dólares al mes, sin cuota de alta. ¿Le envío los detalles?",
    },
    Topic {
        question_en: "Where are you located?",
        question_es: "¿Dónde están ubicados?",
        words_en: &["where", "located", "location", "address", "directions"],
        words_es: &["dónde", "donde", "ubicados", "ubicación", "dirección", "direccion"],
        answer_en: "We are at 500 Main Street, next to the library. Parking is free for visitors.",
        answer_es: "Estamos en Main Street 500, junto a la biblioteca. El parking es gratis.",
    },
    Topic {
        question_en: "Can I book an appointment for tomorrow?",
        question_es: "¿Puedo reservar una cita para mañana?",
        words_en: &["book", "booking", "appointment", "reserve", "schedule"],
        words_es: &["reservar", "reserva", "cita", "turno"],
        answer_en: "Of course. We have 10 am and 3:30 pm free. Which one suits you?",
        answer_es: "Claro. Tenemos libre a las 10:00 y a las 15:30. ¿Cuál le conviene?",
    },
    Topic {
        question_en: "Is the offer still valid?",
        question_es: "¿La oferta sigue vigente?",
        words_en: &["offer", "valid", "discount", "deal", "promotion", "expire"],
        words_es: &["oferta", "vigente", "descuento", "promoción", "promocion", "caduca"],
        answer_en: "Yes, the offer is valid until the end of this month.",
        answer_es: "Sí, la oferta es válida hasta el final de este mes.",
    },
    Topic {
        question_en: "Do you deliver to my area?",
        question_es: "¿Hacen entregas en mi zona?",
        words_en: &["deliver", "delivery", "area", "shipping", "ship"],
        words_es: &["entregas", "entrega", "zona", "envíos", "envían", "domicilio"],
        answer_en: "We deliver within 20 miles. What is your postal code? I will check it.",
        answer_es: "Entregamos hasta 30 km a la redonda. ¿Me dice su código postal?",
    },
    Topic {
        question_en: "Can I talk to a person please?",
        question_es: "¿Me puede llamar alguien por favor?",
        words_en: &["talk", "person", "human", "agent", "call", "somebody"],
        words_es: &["llamar", "alguien", "persona", "agente", "hablar"],
        answer_en: "Sure. Somebody from our team will contact you within the hour.",
        answer_es: "Por supuesto. Alguien de nuestro equipo le contactará en una hora.",
    },
    Topic {
        question_en: "What do I need to bring with me?",
        question_es: "¿Qué documentos necesito llevar?",
        words_en: &["bring", "need", "documents", "papers", "required"],
        words_es: &["documentos", "necesito", "llevar", "papeles", "requisitos"],
        answer_en: "A photo ID and your latest bill are all that we need.",
        answer_es: "Solo un documento de identidad con foto y su última factura.",
    },
    Topic {
        question_en: "How do I cancel my order?",
        question_es: "¿Cómo cancelo mi pedido?",
        words_en: &["cancel", "order", "refund", "return"],
        words_es: &["cancelo", "cancelar", "pedido", "reembolso", "devolver"],
        answer_en: "Tell me your order number, and I will start the cancellation for you.",
        answer_es: "Dígame su número de pedido y empezaré la cancelación.",
    },
    Topic {
        question_en: "Which payment methods do you accept?",
        question_es: "¿Aceptan pago con tarjeta?",
        words_en: &["payment", "pay", "card", "accept", "cash", "methods"],
        words_es: &["pago", "pagar", "tarjeta", "aceptan", "efectivo"],
        answer_en: "We accept all major cards, bank transfer and cash at the counter.",
        answer_es: "Aceptamos todas las tarjetas, transferencia y efectivo en caja.",
    },
];
