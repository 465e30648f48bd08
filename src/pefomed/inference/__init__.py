"""From images and questions to answers."""
