import json

from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from entries.forms import EntryForm
from entries.models import Entry

NEWEST = 60


def page(request, form, status=200):
    context = {"form": form, "entries": Entry.objects.all()[:NEWEST], "count": Entry.objects.count()}
    return render(request, "guestbook/index.html", context, status=status)


@require_GET
def index(request):
    return page(request, EntryForm())


@require_POST
def create(request):
    form = EntryForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, form, status=422)
    form.save()
    return redirect("index")


def as_json(entry):
    return {
        "id": entry.id,
        "author": entry.author,
        "text": entry.text,
        "photo": entry.photo.url if entry.photo else None,
        "created": entry.created.isoformat(),
    }


@csrf_exempt  # For programs, which hold no cookie that could be abused.
@require_http_methods(["GET", "POST"])
def api(request):
    """GET lists the newest entries, POST adds one: a JSON document or a form (with a photo)."""
    if request.method == "GET":
        return JsonResponse({"count": Entry.objects.count(), "entries": [as_json(e) for e in Entry.objects.all()[:NEWEST]]})
    data = request.POST
    if request.content_type == "application/json":
        try:
            data = json.loads(request.body)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            return JsonResponse({"errors": {"body": ["This is not a JSON object."]}}, status=400)
    form = EntryForm(data, request.FILES)
    if not form.is_valid():
        return JsonResponse({"errors": form.errors}, status=422)
    return JsonResponse(as_json(form.save()), status=201)
