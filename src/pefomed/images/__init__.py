"""Images from files: which picture of a file is meant, how it is decoded, and what is refused."""
