"""What Telegram's commands answer: rows are read in one kind of file, pages are made of them in another."""
