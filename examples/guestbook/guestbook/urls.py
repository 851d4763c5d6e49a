from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path

from guestbook import views

urlpatterns = [
    path("", include("entries.urls")),
    path("healthz", views.health),
    path("release", views.release),
    path("slow", views.slow),
    path("admin/", admin.site.urls),
    # Only the development server needs this: on a node nginx serves /uploads/.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
