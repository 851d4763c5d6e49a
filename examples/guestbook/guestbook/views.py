"""Pages that tell how the site itself is."""

import time

from django.conf import settings
from django.http import HttpResponse

from entries.models import Entry

SLOWEST = 5.0


def text(content, status=200):
    return HttpResponse(f"{content}\n", content_type="text/plain; charset=utf-8", status=status)


def health(request):
    """Answers 200 when the database answers and its tables are there; kraft asks before it switches to a release."""
    Entry.objects.exists()
    return text("ok")


def release(request):
    """The release that answered."""
    return text(settings.RELEASE)


def slow(request):
    """Takes `?seconds=` (5 at the most) before it tells the release: what a reload must not cut off."""
    try:
        seconds = float(request.GET.get("seconds", "1"))
    except ValueError:
        return text("seconds must be a number", status=400)
    # NaN compares false with everything, so that it ends as 0 as well.
    time.sleep(min(seconds, SLOWEST) if seconds > 0 else 0)
    return text(settings.RELEASE)
