import { quote } from '../../engine/shell/sh.js'
import { defineFramework } from '../../project/framework.js'
import { inspectDjango } from './django/inspect.js'
import { settingsModule } from './django/settings-module.js'

// Through manage.py and not python -c, because a manage.py may extend sys.path. Checks are on: they find a STATIC_ROOT inside
// STATICFILES_DIRS. Settings that know nothing of kraft have no STATIC_ROOT, or one in the code, which nginx does not serve and the
// application can't write.
const collect = [
  'import os',
  'from django.apps import apps',
  'from django.conf import settings',
  'from django.core.management import call_command',
  'there = apps.is_installed("django.contrib.staticfiles")',
  'root = os.path.realpath(settings.STATIC_ROOT or ".")',
  'inside = (root + os.sep).startswith(os.path.realpath(".") + os.sep)',
  'inside and setattr(settings, "STATIC_ROOT", os.environ["STATIC_ROOT"])',
  'there and call_command("collectstatic", interactive=False, verbosity=0, skip_checks=False)',
  'print("Collected static files" if there else "No static files to collect: django.contrib.staticfiles is not installed")',
].join('; ')

// Through the project's own user model: where people are known by their email, that is the name.
const createSuperusers = `
import json, sys
from django.contrib.auth import get_user_model
User = get_user_model()
email = User.get_email_field_name() if hasattr(User, "get_email_field_name") else "email"
fields = [field.name for field in User._meta.get_fields()]
more = sorted(set(User.REQUIRED_FIELDS) - {email})
for account in json.load(sys.stdin):
    name = account["email"] if User.USERNAME_FIELD == email else account["username"]
    if User._default_manager.filter(**{User.USERNAME_FIELD: name}).exists():
        continue
    if more:
        sys.exit(f"The user model of this project wants {', '.join(more)} too: kraft run:TARGET -- manage.py createsuperuser")
    values = {User.USERNAME_FIELD: name, "password": account["password"]}
    if email in fields:
        values[email] = account["email"]
    User._default_manager.create_superuser(**values)
    print("created", account["username"])
`

// Django's own executor decides; an operation may hold others. What Django's settings silence stays silent.
const foretell = `
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.executor import MigrationExecutor

def reversible(operations):
    return all(each.reversible and reversible(getattr(each, "database_operations", [])) for each in operations)

for message in checks.run_checks(include_deployment_checks=True):
    if not message.is_silenced():
        print("kraft-check", " ".join(str(message).split()))
executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes()):
    print("kraft-migration", migration.app_label, migration.name, "reversible" if reversible(migration.operations) else "irreversible")
`

/** Django: migrates at each release and collects static files where its settings say so. */
export const framework = defineFramework({
  name: 'django',
  doc: 'Django: migrates before each release, collects static files',
  detect(project) {
    const manage = project.read('manage.py')
    return manage !== undefined && (manage.includes('django.core.management') || project.requires.has('django'))
  },
  inspect: inspectDjango,
  environ: (project, wsgi) => ({ DJANGO_SETTINGS_MODULE: settingsModule(project, wsgi) }),
  release: 'manage.py migrate --noinput',
  foretell: `manage.py shell --verbosity 0 --command ${quote(foretell)}`,
  build: `manage.py shell --verbosity 0 --command ${quote(collect)}`,
  superusers: `manage.py shell --verbosity 0 --command ${quote(createSuperusers)}`,
  skeleton: 'django',
})
