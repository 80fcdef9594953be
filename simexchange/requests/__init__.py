"""What a request has to pass before it is answered: parameters, signature, limits; and how it is counted."""
