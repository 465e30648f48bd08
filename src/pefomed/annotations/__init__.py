"""Boxes and masks as files of others hold them: read, placed in the image, made into samples."""
