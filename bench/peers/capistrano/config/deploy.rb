# The repository lies on the node, which is the quickest that it can be.
set :application, "capistrano"
set :repo_url, "file:///srv/capistrano.git"
set :branch, "main"
set :deploy_to, "/srv/capistrano"
set :format_options, log_file: nil

namespace :deploy do
  after :publishing, :restart do
    on(roles(:app)) { execute :sv, "hup", "capistrano" }
  end
end
