from django.db import models


class Entry(models.Model):
    """What one visitor left: a few words and, if they like, a photo."""

    author = models.CharField("your name", max_length=80)
    text = models.TextField("your message", max_length=2000)
    photo = models.ImageField("a photo", upload_to="photos/%Y/%m/", blank=True)
    created = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created", "-id"]
        verbose_name_plural = "entries"

    def __str__(self):
        return f"{self.author}: {self.text[:40]}"
