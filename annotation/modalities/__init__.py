"""What can be compared. One literal dict; a new modality is one module and one line here."""

from annotation.modalities import chat, text

MODALITIES = {
    "text": text,
    "chat": chat,
}
