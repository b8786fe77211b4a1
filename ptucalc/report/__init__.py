"""Results to something people or programs read. Reports format; they do not compute."""
